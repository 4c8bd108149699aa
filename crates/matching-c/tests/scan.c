/* What a C program does with the library: opens argv[1], searches argv[2], prints each hit. */
#include "manara_matching.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const manara_index *index;
    const char *text;
};

static void told(const manara_hit *hit, void *context) {
    const struct search *search = context;
    size_t length;
    const char *indicator = manara_index_text(search->index, hit->indicator, &length);
    printf("%llu:%llu %s %.*s %.*s\n", (unsigned long long)hit->line, (unsigned long long)hit->column,
           manara_kind_name(hit->kind), (int)length, indicator, (int)(hit->end - hit->start), search->text + hit->start);
}

int main(int argc, char **argv) {
    char error[40];
    manara_index *index;
    struct search search;
    unsigned long long hits;
    if (argc < 3 || !(index = manara_index_open(argv[1], error, sizeof error))) {
        printf("error %s\n", argc < 3 ? "two arguments" : error);
        return 2;
    }
    search.index = index;
    search.text = argv[2];
    printf("%u indicators\n", (unsigned)manara_index_len(index));
    hits = manara_scan(index, (const uint8_t *)argv[2], strlen(argv[2]), told, &search);
    printf("%llu hits, %llu in nothing\n", hits, (unsigned long long)manara_scan(index, NULL, 0, told, &search));
    manara_index_close(index);
    manara_index_close(NULL);
    return 0;
}

/* vectorscan LIST LOG HITS [LOG HITS]...: every line of LIST as a literal, whatever its case, in blocks of 16 MB.
 * Prints seconds on a processor: to compile, then to scan each log. HITS gets the numbers of the lines with a match.
 * Built by bench/match.py where libvectorscan-dev or libhyperscan-dev is installed. */
#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 16 << 20 };

static char *whole(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) { perror(path); exit(2); }
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(*size + 1);
  if (!text || fread(text, 1, *size, file) != *size) exit(2);
  text[*size] = 0;
  fclose(file);
  return text;
}

static double cpu(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct ends { unsigned long long base, *at; size_t count, room; };

static int keep(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
  (void)id, (void)from, (void)flags;
  struct ends *ends = context;
  if (ends->count == ends->room) {
    ends->room = ends->room ? ends->room * 2 : 1 << 16;
    ends->at = realloc(ends->at, ends->room * sizeof *ends->at);
    if (!ends->at) exit(2);
  }
  ends->at[ends->count++] = ends->base + to - 1;
  return 0;
}

static int number(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
  (void)id, (void)from, (void)to, (void)flags;
  ++*(unsigned long long *)context;
  return 0;
}

/* One walk over a log, in blocks that end with a line. */
static void scan(const hs_database_t *db, hs_scratch_t *scratch, const char *log, size_t size, match_event_handler each, void *context, struct ends *ends) {
  for (size_t at = 0; at < size;) {
    size_t end = at + BLOCK < size ? at + BLOCK : size;
    while (end < size && end > at + 1 && log[end - 1] != '\n') end--;
    if (ends) ends->base = at;
    if (hs_scan(db, log + at, (unsigned)(end - at), 0, scratch, each, context) != HS_SUCCESS) exit(2);
    at = end;
  }
}

int main(int count, char **arguments) {
  size_t size, n = 0, room = 1024;
  char *list = whole(arguments[1], &size);
  const char **words = malloc(room * sizeof *words);
  for (char *word = strtok(list, "\n"); word; word = strtok(NULL, "\n")) {
    if (n == room) words = realloc(words, (room *= 2) * sizeof *words);
    words[n++] = word;
  }
  unsigned *flags = malloc(n * sizeof *flags), *ids = malloc(n * sizeof *ids);
  size_t *lengths = malloc(n * sizeof *lengths);
  for (size_t i = 0; i < n; i++) flags[i] = HS_FLAG_CASELESS, ids[i] = (unsigned)i, lengths[i] = strlen(words[i]);
  hs_database_t *db;
  hs_compile_error_t *error;
  hs_scratch_t *scratch = NULL;
  double start = cpu();
  if (hs_compile_lit_multi(words, flags, ids, lengths, (unsigned)n, HS_MODE_BLOCK, NULL, &db, &error) != HS_SUCCESS) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  printf("compile %.3f", cpu() - start);
  hs_database_size(db, &size);
  printf(" bytes %zu\n", size);
  if (hs_alloc_scratch(db, &scratch) != HS_SUCCESS) return 2;
  for (int i = 2; i + 1 < count; i += 2) {
    char *log = whole(arguments[i], &size);
    double best = 1e9;
    for (int run = 0; run < 3; run++) {
      unsigned long long matches = 0;
      start = cpu();
      scan(db, scratch, log, size, number, &matches, NULL);
      if (cpu() - start < best) best = cpu() - start;
    }
    printf("scan %.4f\n", best);
    fflush(stdout);
    struct ends ends = {0, NULL, 0, 0};
    scan(db, scratch, log, size, keep, &ends, &ends);
    FILE *out = fopen(arguments[i + 1], "w");
    unsigned long long line = 1, told = 0;
    size_t at = 0;
    for (size_t k = 0; k < ends.count; k++) {
      for (; at < ends.at[k]; at++) line += log[at] == '\n';
      if (line != told) fprintf(out, "%llu\n", line);
      told = line;
    }
    fclose(out);
    free(ends.at);
    free(log);
  }
  return 0;
}

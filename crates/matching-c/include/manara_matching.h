/* Indicators against logs: an index that `manara index build` wrote, and every spelling of its indicators in bytes.
 *
 * Link with libmanara_matching_c. All functions may be called from several threads at once with one index, but for
 * manara_index_close. */
#ifndef MANARA_MATCHING_H
#define MANARA_MATCHING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An index that is open. */
typedef struct manara_index manara_index;

/* An indicator in a text. */
typedef struct manara_hit {
    uint64_t line;      /* from 1 */
    uint64_t column;    /* byte of the line where it starts, from 1 */
    size_t start;       /* byte of the text where its spelling starts, from 0 */
    size_t end;         /* the byte after it */
    uint32_t indicator; /* its number in the index: see manara_index_text */
    uint32_t kind;      /* what it is: see manara_kind_name */
} manara_hit;

/* Opens an index file, maps it and reads it once (a gigabyte in a tenth of a second). NULL: it can't be read, is none, or is broken; why is then in `error`, of `size` bytes
 * at most, cut and with a zero at its end (`error` may be NULL). While it is open the file must not be written over in
 * place: it is replaced by renaming, as `manara index build` does. */
manara_index *manara_index_open(const char *path, char *error, size_t size);

/* Closes it. Texts that it gave are gone, and no scan may be going on. NULL is nothing. */
void manara_index_close(manara_index *index);

/* How many indicators it holds. */
uint32_t manara_index_len(const manara_index *index);

/* The indicator with this number in its normal form, UTF-8 of *length bytes, without a zero at its end; of 0 bytes where
 * there is none. It lives as long as the index is open. */
const char *manara_index_text(const manara_index *index, uint32_t indicator, size_t *length);

/* The name of a kind: "ipv4", "domain", "url", "sha256", ...; "" for a number that is none. It lives for ever. */
const char *manara_kind_name(uint32_t kind);

/* Calls `hit` for each indicator in a text, in order of place, then of indicator, and gives how many there were. The text
 * begins and ends at the borders of lines; it may be any bytes. `hit` gets `context`; what it is given lives until it
 * returns, and it must not throw or jump out. */
uint64_t manara_scan(const manara_index *index, const uint8_t *text, size_t length,
                     void (*hit)(const manara_hit *hit, void *context), void *context);

#ifdef __cplusplus
}
#endif

#endif

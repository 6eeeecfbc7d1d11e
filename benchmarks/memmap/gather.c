/* What memory itself allows: a gather of ragged rows into padded arrays, and nothing else.
 *
 * One field after the other, first the rows of every molecule and then the zeros behind them: of some twenty loops that
 * were tried, with wide vectors, whole windows and everything in one pass, this is the quickest. `ahead` is how many
 * molecules ahead rows are fetched into the cache; some processors are quicker where it is left to them (0).
 */
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *rows;
    char *out;
    int64_t size; /* bytes of a row */
} field;

static void fetch(const char *start, int64_t bytes) {
    for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(start + at, 0, 0);
}

static void ragged(field f, const int64_t *offsets, const int64_t *order, int64_t frames, int64_t slots,
                   int64_t ahead) {
    for (int64_t frame = 0; frame < frames; frame++) {
        if (ahead && frame + ahead < frames) {
            int64_t next = order[frame + ahead];
            fetch(f.rows + offsets[next] * f.size, (offsets[next + 1] - offsets[next]) * f.size);
        }
        int64_t first = offsets[order[frame]], rows = offsets[order[frame] + 1] - first;
        memcpy(f.out + frame * slots * f.size, f.rows + first * f.size, rows * f.size);
    }
    for (int64_t frame = 0; frame < frames; frame++) {
        int64_t rows = offsets[order[frame] + 1] - offsets[order[frame]];
        memset(f.out + (frame * slots + rows) * f.size, 0, (slots - rows) * f.size);
    }
}

void gather(const field *fields, int64_t count, const double *energies, double *out, const int64_t *offsets,
            const int64_t *order, int64_t frames, int64_t slots, int64_t ahead) {
    for (int64_t which = 0; which < count; which++) ragged(fields[which], offsets, order, frames, slots, ahead);
    for (int64_t frame = 0; frame < frames; frame++) out[frame] = energies[order[frame]];
}

#ifndef CYBORG_PNG_H
#define CYBORG_PNG_H

#include <stddef.h>

// What png_inflate found.
enum { PNG_OK, PNG_DAMAGED, PNG_TOO_LITTLE, PNG_TOO_MUCH };

// png_inflate unpacks a zlib stream into exactly `size` bytes. What follows the stream is ignored.
int png_inflate(const unsigned char *in, size_t len, unsigned char *out, size_t size);

// Bytes that have to be readable and writable after what png_unfilter is given.
enum { PNG_SLACK = 16 };

// png_unfilter undoes the filters of `rows` rows, each a byte that names its filter and `stride` bytes, in place: at the
// end the rows stand one after another without those bytes. bpp is the bytes of a pixel, at least 1; zeros are stride
// bytes of zero, the row above the first one. It returns 0 where a row names no filter.
int png_unfilter(unsigned char *data, size_t rows, size_t stride, int bpp, const unsigned char *zeros);

#endif

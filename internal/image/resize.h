#ifndef CYBORG_RESIZE_H
#define CYBORG_RESIZE_H

#include <stddef.h>
#include <stdint.h>

// resize_rows3 makes `rows` rows of `out_w` pixels of 3 bytes from rows of `in_w`: each output pixel is the sum of `taps`
// pixels from from[i] on, times the weights in units of 1/2^22, rounded. taps is even. Two weights a word pair stand in
// weights: those of taps 2k and 2k+1 below bit 15 in the halves of word 2k, from bit 15 on in those of word 2k+1. One byte
// after the last row has to be readable.
void resize_rows3(const unsigned char *in, size_t in_w, unsigned char *out, size_t out_w, size_t rows, const int32_t *from,
		const uint32_t *weights, size_t taps);

#endif

package leaks

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/zeebo/blake3"
)

// The tables of ITU-T T.81, annex K.1, which libjpeg scales by quality: luminance and chrominance.
var standardTables = [2][64]uint16{{
	16, 11, 10, 16, 24, 40, 51, 61,
	12, 12, 14, 19, 26, 58, 60, 55,
	14, 13, 16, 24, 40, 57, 69, 56,
	14, 17, 22, 29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77,
	24, 35, 55, 64, 81, 104, 113, 92,
	49, 64, 78, 87, 103, 121, 120, 101,
	72, 92, 95, 98, 112, 100, 103, 99,
}, {
	17, 18, 24, 47, 99, 99, 99, 99,
	18, 21, 26, 66, 99, 99, 99, 99,
	24, 26, 56, 99, 99, 99, 99, 99,
	47, 66, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99,
}}

// qualities are the numbers 1 to 100 by the luminance table that libjpeg makes of them (jcparam.c).
var qualities = func() map[[64]uint16]int {
	all := map[[64]uint16]int{}
	for quality := 100; quality >= 1; quality-- {
		all[scaledTable(standardTables[0], quality)] = quality
	}
	return all
}()

func scaledTable(table [64]uint16, quality int) [64]uint16 {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for i, v := range table {
		table[i] = uint16(min(max((int(v)*scale+50)/100, 1), 255))
	}
	return table
}

// tablesName is the same for the same tables alone: libjpeg's quality where they are its own, else a short digest.
func tablesName(tables map[int][64]uint16) string {
	if len(tables) == 0 {
		return "none"
	}
	if quality, ok := qualities[tables[0]]; ok {
		second, two := tables[1]
		if len(tables) == 1 || len(tables) == 2 && two && second == scaledTable(standardTables[1], quality) {
			return fmt.Sprintf("libjpeg quality %d", quality)
		}
	}
	var raw []byte
	for _, number := range slices.Sorted(maps.Keys(tables)) {
		raw = append(raw, byte(number))
		for _, v := range tables[number] {
			raw = binary.BigEndian.AppendUint16(raw, v)
		}
	}
	sum := blake3.Sum256(raw)
	return "own " + hex.EncodeToString(sum[:4])
}

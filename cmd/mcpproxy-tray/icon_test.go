package main

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"runtime"
	"testing"
)

func TestIconOf_EveryFaceLooksDifferent(t *testing.T) {
	t.Parallel()
	seen := map[string]Face{}
	for _, f := range []Face{FaceOff, FaceOK, FaceAttention, FaceError} {
		data := iconOf(f)
		if other, ok := seen[string(data)]; ok {
			t.Errorf("%s looks like %s", f, other)
		}
		seen[string(data)] = f
		if runtime.GOOS == "windows" {
			data = data[22:]
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != iconSize {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestICO_PointsAtThePicture(t *testing.T) {
	t.Parallel()
	file := ico([]byte("picture"))
	if size, at := binary.LittleEndian.Uint32(file[14:]), binary.LittleEndian.Uint32(file[18:]); size != 7 || string(file[at:]) != "picture" {
		t.Errorf("size %d at %d", size, at)
	}
}

package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"runtime"
	"sync"
)

// iconSize is the edge of the icon, in pixels; trays scale it down.
const iconSize = 64

// faceColors are the colour of the mark in the corner; off has none.
var faceColors = map[Face]color.NRGBA{
	FaceOK: {0x2e, 0xa0, 0x43, 0xff}, FaceAttention: {0xd2, 0x99, 0x22, 0xff}, FaceError: {0xd1, 0x24, 0x2f, 0xff},
}

var icons sync.Map // Face -> []byte

// iconOf is the icon of a face: PNG, or ICO on Windows.
func iconOf(f Face) []byte {
	if data, ok := icons.Load(f); ok {
		return data.([]byte)
	}
	var out bytes.Buffer
	_ = png.Encode(&out, draw(f)) // into memory, of a sound image
	data := out.Bytes()
	if runtime.GOOS == "windows" {
		data = ico(data)
	}
	icons.Store(f, data)
	return data
}

// draw paints a hub with three spokes, and the mark of the face.
func draw(f Face) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, iconSize, iconSize))
	ink := color.NRGBA{0x12, 0x8f, 0x82, 0xff} // as on the page
	if f == FaceOff {
		ink = color.NRGBA{0x8a, 0x8f, 0x98, 0xff}
	}
	mark, marked := faceColors[f]
	ends := [][2]float64{{14, 16}, {50, 16}, {14, 50}}
	for y := range iconSize {
		for x := range iconSize {
			px, py := float64(x)+.5, float64(y)+.5
			d := math.Hypot(px-32, py-33) - 11
			for _, e := range ends {
				d = min(d, segment(px, py, e[0], e[1])-3, math.Hypot(px-e[0], py-e[1])-7)
			}
			paint(img, x, y, ink, d)
			if marked {
				paint(img, x, y, color.NRGBA{}, math.Hypot(px-50, py-50)-15) // a gap around the mark
				paint(img, x, y, mark, math.Hypot(px-50, py-50)-12)
			}
		}
	}
	return img
}

// segment is the distance of a point from the spoke that ends at ex, ey.
func segment(px, py, ex, ey float64) float64 {
	dx, dy := ex-32, ey-33
	t := min(max(((px-32)*dx+(py-33)*dy)/(dx*dx+dy*dy), 0), 1)
	return math.Hypot(px-32-t*dx, py-33-t*dy)
}

// paint blends c over a pixel that lies d outside of the shape.
func paint(img *image.NRGBA, x, y int, c color.NRGBA, d float64) {
	cover := min(max(.5-d, 0), 1)
	if cover == 0 {
		return
	}
	old := img.NRGBAAt(x, y)
	alpha := float64(c.A)*cover + float64(old.A)*(1-cover)
	if c.A == 0 || old.A == 0 {
		keep := c
		if c.A == 0 {
			keep = old
		}
		keep.A = uint8(alpha + .5)
		img.SetNRGBA(x, y, keep)
		return
	}
	mix := func(a, b uint8) uint8 { return uint8(float64(a)*cover + float64(b)*(1-cover) + .5) }
	img.SetNRGBA(x, y, color.NRGBA{mix(c.R, old.R), mix(c.G, old.G), mix(c.B, old.B), uint8(alpha + .5)})
}

// ico wraps one PNG as an icon file (Windows Vista and later read it so).
func ico(data []byte) []byte {
	var out bytes.Buffer
	put := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) }
	put([]uint16{0, 1, 1})                 // reserved, type icon, one image
	put([]uint8{iconSize, iconSize, 0, 0}) // width, height, colours, reserved
	put([]uint16{1, 32})                   // planes, bits a pixel
	put([]uint32{uint32(len(data)), 6 + 16})
	out.Write(data)
	return out.Bytes()
}

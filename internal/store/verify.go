package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	bolt "go.etcd.io/bbolt"
)

// The page layout of bbolt (its internal/common/page.go, meta.go, bucket.go).
// bbolt's own Tx.Check cannot stand in for this: it runs in a goroutine of its
// own and ends the process where a page leads out of the mapping.
const (
	pageHeader    = 16 // id, flags, count, overflow
	elementSize   = 16
	bucketHeader  = 16 // root, sequence
	branchPage    = 0x01
	leafPage      = 0x02
	freelistPage  = 0x10
	bucketElement = 0x01

	metaFreelist = pageHeader + 32 // offset of the freelist's page number
)

var native = binary.NativeEndian

// verifier reads every page that a transaction can reach, each once. What it
// passes cannot lead bbolt out of the file, around in circles, or to overwrite
// a page in use.
type verifier struct {
	file io.ReaderAt
	page uint64 // bytes of a page
	high uint64 // pages from here on do not exist
	used map[uint64]bool
	data bool     // below the root: records, no buckets
	bufs [][]byte // of pages without overflow that nobody looks at any more
}

// verify checks the structure of the file that db opened. Records are not
// decoded.
func verify(db *bolt.DB, file io.ReaderAt) error {
	return db.View(func(tx *bolt.Tx) error {
		size := uint64(db.Info().PageSize)
		v := &verifier{file: file, page: size, high: uint64(tx.Size()) / size, used: map[uint64]bool{}}
		var last [1]byte
		if _, err := file.ReadAt(last[:], tx.Size()-1); err != nil {
			return fmt.Errorf("file is too short: %w", err)
		}
		if err := v.tree(uint64(tx.Cursor().Bucket().Root()), nil); err != nil {
			return err
		}
		return v.freelist(uint64(tx.ID()) % 2)
	})
}

// read returns page id with its overflow, and marks it as used. The caller may
// hand the page back with done.
func (v *verifier) read(id uint64) (page []byte, err error) {
	if id < 2 || id >= v.high {
		return nil, fmt.Errorf("page %d does not exist", id)
	}
	if n := len(v.bufs); n > 0 {
		page, v.bufs = v.bufs[n-1], v.bufs[:n-1]
	} else {
		page = make([]byte, v.page)
	}
	if _, err := v.file.ReadAt(page, int64(id*v.page)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	pages := 1 + uint64(native.Uint32(page[12:]))
	if native.Uint64(page) != id || id+pages > v.high {
		return nil, fmt.Errorf("page %d has a bad header", id)
	}
	for i := id; i < id+pages; i++ {
		if v.used[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		v.used[i] = true
	}
	if pages == 1 {
		return page, nil
	}
	v.done(page)
	page = make([]byte, pages*v.page)
	if _, err := v.file.ReadAt(page, int64(id*v.page)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return page, nil
}

func (v *verifier) done(page []byte) {
	if uint64(len(page)) == v.page {
		v.bufs = append(v.bufs, page)
	}
}

// tree checks the pages from id downwards; no key may be below first.
func (v *verifier) tree(id uint64, first []byte) error {
	page, err := v.read(id)
	if err != nil {
		return err
	}
	if err := v.node(page, first); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	v.done(page)
	return nil
}

// node checks one branch or leaf and what hangs below it.
func (v *verifier) node(page, first []byte) error {
	flags, count := native.Uint16(page[8:]), int(native.Uint16(page[10:]))
	table := pageHeader + count*elementSize
	if (flags != branchPage && flags != leafPage) || (flags == branchPage && count == 0) || table > len(page) {
		return fmt.Errorf("bad header")
	}
	before := first
	for i := range count {
		at := pageHeader + i*elementSize
		e := page[at : at+elementSize]
		var pos, keyLen, valueLen uint64
		if flags == branchPage {
			pos, keyLen = uint64(native.Uint32(e)), uint64(native.Uint32(e[4:]))
		} else {
			pos, keyLen, valueLen = uint64(native.Uint32(e[4:])), uint64(native.Uint32(e[8:])), uint64(native.Uint32(e[12:]))
		}
		start := uint64(at) + pos
		if start < uint64(table) || start+keyLen+valueLen > uint64(len(page)) || keyLen == 0 || keyLen > bolt.MaxKeySize {
			return fmt.Errorf("element %d lies outside", i)
		}
		key := page[start : start+keyLen]
		if order := bytes.Compare(before, key); order > 0 || (order == 0 && i > 0) {
			return fmt.Errorf("element %d is out of order", i)
		}
		before = key
		var err error
		if flags == branchPage {
			err = v.tree(native.Uint64(e[8:]), key)
		} else {
			err = v.leaf(native.Uint32(e), page[start+keyLen:start+keyLen+valueLen])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaf checks one entry: at the top buckets, below them records.
func (v *verifier) leaf(flags uint32, value []byte) error {
	switch {
	case v.data && flags == 0:
		return nil
	case v.data || flags != bucketElement || len(value) < bucketHeader:
		return fmt.Errorf("an entry is of the wrong kind")
	}
	v.data = true
	defer func() { v.data = false }()
	if root := native.Uint64(value); root != 0 {
		return v.tree(root, nil)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || native.Uint16(inline[8:]) != leafPage {
		return fmt.Errorf("a small bucket has a bad header")
	}
	return v.node(inline, nil)
}

// freelist checks that what the meta page's freelist calls free is not in use.
func (v *verifier) freelist(meta uint64) error {
	var ref [8]byte
	if _, err := v.file.ReadAt(ref[:], int64(meta*v.page+metaFreelist)); err != nil {
		return fmt.Errorf("meta page: %w", err)
	}
	page, err := v.read(native.Uint64(ref[:]))
	if err != nil {
		return fmt.Errorf("freelist: %w", err)
	}
	ids := page[pageHeader:]
	count := uint64(native.Uint16(page[10:]))
	if count == 0xffff { // too many for the header
		count, ids = native.Uint64(ids), ids[8:]
	}
	if native.Uint16(page[8:]) != freelistPage || count > uint64(len(ids))/8 {
		return fmt.Errorf("freelist has a bad header")
	}
	for i := range count {
		id := native.Uint64(ids[8*i:])
		if id < 2 || id >= v.high || v.used[id] {
			return fmt.Errorf("freelist: page %d is not free", id)
		}
		v.used[id] = true
	}
	return nil
}

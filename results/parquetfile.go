package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

var parquetMagic = []byte("PAR1")

// parquetFile writes a Parquet file, row group by row group. It stands in for the library's
// file.Writer, which makes a zstd encoder for every page, and drops the errors of row groups that
// it closes itself.
type parquetFile struct {
	table  Table
	out    *digest
	props  *parquet.WriterProperties
	meta   *metadata.FileMetaDataBuilder
	zstd   *zstd.Encoder
	groups int16

	pages []numberPage // of the row group that is written, by column; their memory is kept
	plain [][]byte     // scratch, one for each core
}

// numberPage is a column of numbers as one page.
type numberPage struct {
	plain      int    // bytes before compression
	compressed []byte // definition levels, if it has some, and plain values
}

func newParquetFile(
	t Table,
	out *digest,
	root *schema.GroupNode,
	props *parquet.WriterProperties,
	meta metadata.KeyValueMetadata,
) (*parquetFile, error) {
	cores := runtime.GOMAXPROCS(0)
	encoder, err := zstd.NewWriter(nil, zstd.WithZeroFrames(true), zstd.WithEncoderConcurrency(cores),
		zstd.WithWindowSize(1<<20), // a page is hardly longer, and the encoder keeps two windows
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(zstdLevel)))
	if err != nil {
		return nil, fmt.Errorf("results: zstd: %w", err)
	}
	if _, err := out.Write(parquetMagic); err != nil {
		return nil, fmt.Errorf("results: write: %w", err)
	}
	return &parquetFile{
		table: t,
		out:   out,
		props: props,
		meta:  metadata.NewFileMetadataBuilder(schema.NewSchema(root), props, meta),
		zstd:  encoder,
		plain: make([][]byte, cores),
	}, nil
}

// writeRowGroup writes one row group: each column's chunk from its vector.
func (f *parquetFile) writeRowGroup(rows int, columns []Column, vectors []vector) error {
	f.compressNumbers(columns, vectors)
	group := f.meta.AppendRowGroup()
	size := int64(0)
	for i, c := range columns {
		chunk := group.NextColumnChunk()
		pages, err := file.NewPageWriter(
			f.out,
			compress.Codecs.Zstd,
			zstdLevel,
			chunk,
			f.groups,
			int16(i),
			memory.DefaultAllocator,
			false,
			nil,
			nil,
		)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		var n int64
		if f.isNumbers(c) {
			n, err = f.writeNumbers(chunk, pages, rows, &vectors[i], f.pages[i])
		} else {
			n, err = f.writeChunk(chunk, pages, &vectors[i])
		}
		if f.out.err != nil { // then err only repeats it
			err = f.out.err
		}
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		size += n
	}
	group.SetNumRows(rows)
	if err := group.Finish(size, f.groups); err != nil {
		return err
	}
	f.groups++
	return nil
}

// writeChunk writes a column by the library's encoders, and returns its size.
func (f *parquetFile) writeChunk(
	chunk *metadata.ColumnChunkMetaDataBuilder,
	pages file.PageWriter,
	v *vector,
) (int64, error) {
	w := file.NewColumnChunkWriter(chunk, zstdPages{pages, f.zstd}, f.props)
	err := errors.Join(v.write(w), w.Close())
	return w.TotalBytesWritten(), err
}

// isNumbers tells whether a column is written as one page of plain numbers. The library's encoder
// of definition levels copies its buffer for every eight of them, which made columns with nulls ten
// times slower than others.
func (f *parquetFile) isNumbers(c Column) bool {
	return (c.Kind == Int64 || c.Kind == Float64) && !repeats(f.table, c.Name)
}

// compressNumbers makes the pages of all columns of numbers, on all cores: a page hangs on its
// column alone.
func (f *parquetFile) compressNumbers(columns []Column, vectors []vector) {
	if f.pages == nil {
		f.pages = make([]numberPage, len(columns))
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for core := range f.plain {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(columns)); i = next.Add(1) - 1 {
				if !f.isNumbers(columns[i]) {
					continue
				}
				plain := f.plain[core][:0]
				if columns[i].Nullable {
					plain = appendLevels(plain, vectors[i].levels)
				}
				plain = append(plain, arrow.Int64Traits.CastToBytes(vectors[i].ints)...) // one of the two is empty
				plain = append(plain, arrow.Float64Traits.CastToBytes(vectors[i].floats)...)
				f.pages[i].plain, f.pages[i].compressed = len(plain), f.zstd.EncodeAll(plain, f.pages[i].compressed[:0])
				f.plain[core] = plain
			}
		})
	}
	workers.Wait()
}

// writeNumbers writes a column of int64 or double as its page, and returns its size.
func (f *parquetFile) writeNumbers(
	chunk *metadata.ColumnChunkMetaDataBuilder,
	pages file.PageWriter,
	rows int,
	v *vector,
	made numberPage,
) (int64, error) {
	statistics := metadata.NewStatistics(chunk.Descr(), memory.DefaultAllocator)
	switch s := statistics.(type) {
	case *metadata.Int64Statistics:
		s.Update(v.ints, int64(rows-len(v.ints)))
	case *metadata.Float64Statistics:
		s.Update(v.floats, int64(rows-len(v.floats)))
	}
	encoded, err := statistics.Encode()
	if err != nil {
		return 0, err
	}
	encoded.Signed = true
	chunk.SetStats(encoded)
	page := file.NewDataPageV1WithStats(memory.NewBufferBytes(made.compressed), int32(rows),
		parquet.Encodings.Plain, parquet.Encodings.RLE, parquet.Encodings.RLE, int32(made.plain), encoded)
	defer page.Release()
	n, err := pages.WriteDataPage(page)
	return n, errors.Join(err, pages.Close(false, false))
}

// appendLevels appends definition levels of 0 and 1 in Parquet's RLE and bit-packing hybrid, behind
// their length: one run where all are equal, else one bit-packed run of groups of eight.
func appendLevels(page []byte, levels []int16) []byte {
	start := len(page)
	page = append(page, 0, 0, 0, 0)
	ones := 0
	for _, level := range levels {
		ones += int(level)
	}
	if ones == 0 || ones == len(levels) {
		page = binary.AppendUvarint(page, uint64(len(levels))<<1)
		page = append(page, byte(min(ones, 1)))
	} else {
		groups := (len(levels) + 7) / 8
		page = binary.AppendUvarint(page, uint64(groups)<<1|1)
		bits := len(page)
		page = append(page, make([]byte, groups)...)
		for i, level := range levels {
			page[bits+i>>3] |= byte(level) << (i & 7)
		}
	}
	binary.LittleEndian.PutUint32(page[start:], uint32(len(page)-start-4))
	return page
}

// close writes the footer, which must count rows.
func (f *parquetFile) close(rows int64) error {
	defer f.zstd.Close()
	footer, err := f.meta.Finish()
	if err != nil {
		return err
	}
	if footer.NumRows != rows {
		return fmt.Errorf("the footer counts %d rows of %d", footer.NumRows, rows)
	}
	n, err := footer.WriteTo(f.out, nil)
	if err != nil {
		return err
	}
	_, err = f.out.Write(append(binary.LittleEndian.AppendUint32(nil, uint32(n)), parquetMagic...))
	if f.out.err != nil { // then err only repeats it
		err = f.out.err
	}
	return err
}

// zstdPages compresses pages by one encoder that lives as long as the file.
type zstdPages struct {
	file.PageWriter
	encoder *zstd.Encoder
}

func (p zstdPages) Compress(buffer *bytes.Buffer, src []byte) []byte {
	return p.encoder.EncodeAll(src, buffer.AvailableBuffer())
}

// digest counts and hashes what goes through it. It keeps the first error: the Parquet writer drops
// some.
type digest struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
	err   error
}

func newDigest(w io.Writer) *digest { return &digest{w: w, hash: sha256.New()} }

func (d *digest) Write(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.w.Write(p)
	d.hash.Write(p[:n])
	d.bytes += int64(n)
	d.err = err
	return n, err
}

// Tell is the offset of the next byte.
func (d *digest) Tell() int64 { return d.bytes }

// recoverTo turns a panic of the Parquet library, which is how it reports some failed writes, into
// an error, and prefers the failed write itself to what the library made of it.
func (d *digest) recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("results: parquet: %v", r)
	}
	if *err != nil && d.err != nil && !errors.Is(*err, d.err) {
		*err = fmt.Errorf("results: write: %w", d.err)
	}
}

// Package rows reads tables of points that people made elsewhere, in CSV or Parquet, for the key
// `points: {file: rows.csv}` of a sweep file. Invariants:
//
//   - A number is taken as it is written: 0.1 of a CSV file is the double nearest to 0.1, and a
//     number of a Parquet file is that number.
//   - An empty cell of a CSV file, and a null of a Parquet file, sets nothing.
//   - Sizes are checked before anything of that size is allocated, and no content of a file panics.
//     A Parquet file whose definition levels are cut short can keep the library busy without end.
package rows

//go:build goexperiment.simd && amd64

#include "textflag.h"

// STEP adds the products of one k: b0 and b1 are the row of B, a0 to a7 the column of A.
#define STEP(b0, b1, a0, a1, a2, a3, a4, a5, a6, a7) \
	VMOVUPD b0, Z16; \
	VMOVUPD b1, Z17; \
	ROW(a0, Z18, Z0, Z1); \
	ROW(a1, Z19, Z2, Z3); \
	ROW(a2, Z20, Z4, Z5); \
	ROW(a3, Z21, Z6, Z7); \
	ROW(a4, Z22, Z8, Z9); \
	ROW(a5, Z23, Z10, Z11); \
	ROW(a6, Z24, Z12, Z13); \
	ROW(a7, Z25, Z14, Z15)

#define ROW(a, all, x, y) \
	VBROADCASTSD a, all; \
	VFMADD231PD Z16, all, x; \
	VFMADD231PD Z17, all, y

// INPLACE is the i-th k of rows of A as they lie in memory, PACKED that of a panel.
#define INPLACE(i, b0, b1) \
	STEP(b0, b1, (8*i)(AX), (8*i)(AX)(R8*1), (8*i)(AX)(R8*2), (8*i)(AX)(R9*1), (8*i)(DX), (8*i)(DX)(R8*1), (8*i)(DX)(R8*2), (8*i)(DX)(R9*1))

#define PACKED(i, b0, b1) \
	STEP(b0, b1, (64*i)(AX), (64*i+8)(AX), (64*i+16)(AX), (64*i+24)(AX), (64*i+32)(AX), (64*i+40)(AX), (64*i+48)(AX), (64*i+56)(AX))

// func tiles512(n, depth int, a operand, next int, b operand, c unsafe.Pointer, stride int, add bool, ahead unsafe.Pointer)
//
// Z0 to Z15 are the tile, a row in two vectors; Z16 and Z17 a row of B; Z18 to Z25 a column of A, each element loaded into all lanes.
TEXT ·tiles512(SB), NOSPLIT, $0-104
	MOVQ a_lane+24(FP), R8
	MOVQ a_step+32(FP), R10
	MOVQ b_step+64(FP), R11
	MOVQ c+72(FP), DI
	MOVQ stride+80(FP), R12
	LEAQ (R8)(R8*2), R9      // three rows of A
	LEAQ (R12)(R12*2), R13   // three rows of C

tile:
	MOVQ depth+8(FP), CX
	MOVQ a_at+16(FP), AX
	MOVQ b_at+48(FP), BX
	LEAQ (AX)(R8*4), DX      // row 4 of A
	LEAQ (DI)(R12*4), SI     // row 4 of C
	LEAQ (DI)(R12*8), R14    // the next tile of C
	LEAQ (R14)(R12*4), R15
	PREFETCHT0 (R14)
	PREFETCHT0 64(R14)
	PREFETCHT0 (R14)(R12*1)
	PREFETCHT0 64(R14)(R12*1)
	PREFETCHT0 (R14)(R12*2)
	PREFETCHT0 64(R14)(R12*2)
	PREFETCHT0 (R14)(R13*1)
	PREFETCHT0 64(R14)(R13*1)
	PREFETCHT0 (R15)
	PREFETCHT0 64(R15)
	PREFETCHT0 (R15)(R12*1)
	PREFETCHT0 64(R15)(R12*1)
	PREFETCHT0 (R15)(R12*2)
	PREFETCHT0 64(R15)(R12*2)
	PREFETCHT0 (R15)(R13*1)
	PREFETCHT0 64(R15)(R13*1)
	MOVQ ahead+96(FP), R14
	TESTQ R14, R14
	JEQ  start
	PREFETCHT1 (R14)
	PREFETCHT1 64(R14)
	PREFETCHT1 128(R14)
	PREFETCHT1 192(R14)
	PREFETCHT1 256(R14)
	PREFETCHT1 320(R14)
	PREFETCHT1 384(R14)
	PREFETCHT1 448(R14)
	PREFETCHT1 512(R14)
	PREFETCHT1 576(R14)
	PREFETCHT1 640(R14)
	PREFETCHT1 704(R14)
	PREFETCHT1 768(R14)
	PREFETCHT1 832(R14)
	PREFETCHT1 896(R14)
	PREFETCHT1 960(R14)
	ADDQ $1024, R14
	MOVQ R14, ahead+96(FP)

start:
	CMPB add+88(FP), $0
	JNE  load

	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	JMP  begin

load:
	VMOVUPD (DI), Z0
	VMOVUPD 64(DI), Z1
	VMOVUPD (DI)(R12*1), Z2
	VMOVUPD 64(DI)(R12*1), Z3
	VMOVUPD (DI)(R12*2), Z4
	VMOVUPD 64(DI)(R12*2), Z5
	VMOVUPD (DI)(R13*1), Z6
	VMOVUPD 64(DI)(R13*1), Z7
	VMOVUPD (SI), Z8
	VMOVUPD 64(SI), Z9
	VMOVUPD (SI)(R12*1), Z10
	VMOVUPD 64(SI)(R12*1), Z11
	VMOVUPD (SI)(R12*2), Z12
	VMOVUPD 64(SI)(R12*2), Z13
	VMOVUPD (SI)(R13*1), Z14
	VMOVUPD 64(SI)(R13*1), Z15

begin:
	LEAQ (R11)(R11*2), R14 // three rows of B
	SUBQ $4, CX
	JLT  rest
	CMPQ R10, $8
	JEQ  inplace
	CMPQ R10, $64
	JNE  rest
	CMPQ R8, $8
	JNE  rest

	PCALIGN $32
packed:
	PREFETCHT0 512(AX)
	PREFETCHT0 576(AX)
	PREFETCHT0 640(AX)
	PREFETCHT0 704(AX)
	PACKED(0, (BX), 64(BX))
	PACKED(1, (BX)(R11*1), 64(BX)(R11*1))
	PACKED(2, (BX)(R11*2), 64(BX)(R11*2))
	PACKED(3, (BX)(R14*1), 64(BX)(R14*1))
	ADDQ $256, AX
	LEAQ (BX)(R11*4), BX
	SUBQ $4, CX
	JGE  packed
	LEAQ (AX)(R8*4), DX
	JMP  rest

	PCALIGN $32
inplace:
	INPLACE(0, (BX), 64(BX))
	INPLACE(1, (BX)(R11*1), 64(BX)(R11*1))
	INPLACE(2, (BX)(R11*2), 64(BX)(R11*2))
	INPLACE(3, (BX)(R14*1), 64(BX)(R14*1))
	ADDQ $32, AX
	ADDQ $32, DX
	LEAQ (BX)(R11*4), BX
	SUBQ $4, CX
	JGE  inplace

rest:
	ADDQ $4, CX
	JEQ  store

loop:
	STEP((BX), 64(BX), (AX), (AX)(R8*1), (AX)(R8*2), (AX)(R9*1), (DX), (DX)(R8*1), (DX)(R8*2), (DX)(R9*1))
	ADDQ R10, AX
	ADDQ R10, DX
	ADDQ R11, BX
	DECQ CX
	JNE  loop

store:
	VMOVUPD Z0, (DI)
	VMOVUPD Z1, 64(DI)
	VMOVUPD Z2, (DI)(R12*1)
	VMOVUPD Z3, 64(DI)(R12*1)
	VMOVUPD Z4, (DI)(R12*2)
	VMOVUPD Z5, 64(DI)(R12*2)
	VMOVUPD Z6, (DI)(R13*1)
	VMOVUPD Z7, 64(DI)(R13*1)
	VMOVUPD Z8, (SI)
	VMOVUPD Z9, 64(SI)
	VMOVUPD Z10, (SI)(R12*1)
	VMOVUPD Z11, 64(SI)(R12*1)
	VMOVUPD Z12, (SI)(R12*2)
	VMOVUPD Z13, 64(SI)(R12*2)
	VMOVUPD Z14, (SI)(R13*1)
	VMOVUPD Z15, 64(SI)(R13*1)
	MOVQ next+40(FP), AX
	ADDQ AX, a_at+16(FP)
	LEAQ (DI)(R12*8), DI
	DECQ n+0(FP)
	JNE  tile
	VZEROUPPER
	RET

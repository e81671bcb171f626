//go:build goexperiment.simd && amd64

#include "textflag.h"

// func eliminate512(strip []float64, pivot, column int)
//
// Z0 and Z1 are the pivot's row over the pivot, Z2 and Z3 a row; K1 and K2 leave the column out.
TEXT ·eliminate512(SB), NOSPLIT, $0-40
	MOVQ strip_base+0(FP), SI
	MOVQ strip_len+8(FP), R8
	SHRQ $4, R8              // rows
	MOVQ pivot+24(FP), DI
	SHLQ $7, DI
	ADDQ SI, DI              // the pivot's row
	MOVQ column+32(FP), CX
	LEAQ (SI)(CX*8), AX      // the column in row 0

	MOVQ  $1, DX
	SHLQ  CX, DX
	MOVQ  DX, BX
	SHRQ  $8, BX
	KMOVB DX, K3
	KMOVB BX, K4
	KNOTB K3, K1
	KNOTB K4, K2

	// 1/pivot, in the column and times the others.
	MOVQ         $0x3FF0000000000000, DX
	MOVQ         DX, X4
	VDIVSD       (DI)(CX*8), X4, X4
	VBROADCASTSD X4, Z4
	VMULPD       (DI), Z4, Z0
	VMULPD       64(DI), Z4, Z1
	VMOVAPD      Z4, K3, Z0
	VMOVAPD      Z4, K4, Z1

loop:
	VBROADCASTSD  (AX), Z5
	VMOVUPD.Z     (SI), K1, Z2
	VMOVUPD.Z     64(SI), K2, Z3
	VFNMADD231PD  Z0, Z5, Z2
	VFNMADD231PD  Z1, Z5, Z3
	VMOVUPD       Z2, (SI)
	VMOVUPD       Z3, 64(SI)
	ADDQ          $128, AX
	ADDQ          $128, SI
	DECQ          R8
	JNE           loop

	VMOVUPD Z0, (DI)
	VMOVUPD Z1, 64(DI)
	VZEROUPPER
	RET

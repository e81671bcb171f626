//go:build goexperiment.simd && amd64

#include "go_asm.h"
#include "textflag.h"

// Steps of two vectors of three groups that need no observation. Iterates and the sums over tails are rounded as in the template; what only
// decides whether to stop is not, and stops a little early.
//
// R8 and R10 are the heads, R9 and R11 the cells, CX the steps left, DX the flags. Z0 to Z2 are the iterates of the first vector, Z3 to
// Z5 those of the second; Z18 to Z21 the multiplicities of the groups that are spikes, 0 for others; Z30 the limit of ‖W‖², Z31 subnormalGuard.

DATA subnormalGuard<>+0(SB)/8, $1e-280
GLOBL subnormalGuard<>(SB), RODATA|NOPTR, $8

DATA quarter<>+0(SB)/8, $0.25
GLOBL quarter<>(SB), RODATA|NOPTR, $8

DATA signBit<>+0(SB)/8, $0x8000000000000000
GLOBL signBit<>(SB), RODATA|NOPTR, $8

// A little less than 2.
DATA under2<>+0(SB)/8, $1.999999999999996
GLOBL under2<>(SB), RODATA|NOPTR, $8

DATA tiny<>+0(SB)/8, $1e-250
GLOBL tiny<>(SB), RODATA|NOPTR, $8

#define BEGIN \
	MOVQ headA+0(FP), R8; \
	MOVQ cellsA+8(FP), R9; \
	MOVQ headB+16(FP), R10; \
	MOVQ cellsB+24(FP), R11; \
	MOVQ n+32(FP), CX; \
	MOVQ flags+40(FP), DX; \
	VBROADCASTSD limit+48(FP), Z30; \
	VBROADCASTSD subnormalGuard<>(SB), Z31; \
	LOAD(R8, R9, Z0, Z1, Z2, Z18, Z19); \
	LOAD(R10, R11, Z3, Z4, Z5, Z20, Z21)

#define LOAD(H, C, w0, w1, w2, n1, n2) \
	VMOVUPD const_cellW0(C), w0; \
	VMOVUPD const_cellW1(C), w1; \
	VMOVUPD const_cellW2(C), w2; \
	VMOVUPD const_headSpikes1(H), n1; \
	VPANDQ const_cellN1(C), n1, n1; \
	VMOVUPD const_headSpikes2(H), n2; \
	VPANDQ const_cellN2(C), n2, n2

#define RETURN \
	STORE(R9, Z0, Z1, Z2, const_cellW0, const_cellW1, const_cellW2); \
	STORE(R11, Z3, Z4, Z5, const_cellW0, const_cellW1, const_cellW2); \
	MOVQ n+32(FP), AX; \
	SUBQ CX, AX; \
	MOVQ AX, taken+56(FP); \
	VZEROUPPER; \
	RET

#define STORE(C, w0, w1, w2, at0, at1, at2) \
	VMOVUPD w0, at0(C); \
	VMOVUPD w1, at1(C); \
	VMOVUPD w2, at2(C)

// BEFORE saves the iterates that a step starts from.
#define BEFORE \
	STORE(R9, Z0, Z1, Z2, const_cellBefore0, const_cellBefore1, const_cellBefore2); \
	STORE(R11, Z3, Z4, Z5, const_cellBefore0, const_cellBefore1, const_cellBefore2)

// ENERGIES leaves a = w², norm2 = ‖W‖², and over, negative where the signal or the spikes need an observation.
#define ENERGIES(H, C, w0, w1, w2, n1, n2, a0, a1, a2, norm2, over, spike) \
	VMULPD w0, w0, a0; \
	VMULPD w1, w1, a1; \
	VMULPD w2, w2, a2; \
	VMOVUPD const_cellN1(C), norm2; \
	VFMADD213PD a0, a1, norm2; \
	VFMADD231PD const_cellN2(C), a2, norm2; \
	VMOVAPD Z31, spike; \
	VFMADD231PD n1, a1, spike; \
	VFMADD231PD n2, a2, spike; \
	VMOVUPD const_headSignal(H), over; \
	VFMSUB213PD a0, norm2, over; \
	VFMSUB231PD const_headSpike(H), norm2, spike; \
	VPORQ spike, over, over; \
	VMOVAPD a0, spike; \
	VFNMADD231PD const_headBelow(H), norm2, spike; \
	VPORQ spike, over, over

// BOUNDED leaves in K5 the lanes of both vectors in which no iterate is beyond the limit, or not a number.
#define BOUNDED(normA, normB) \
	VCMPPD $2, Z30, normA, K5; \
	VCMPPD $2, Z30, normB, K5, K5

// UNOBSERVED sets the carry if every lane is in K5 and not over.
#define UNOBSERVED(overA, overB) \
	VPORQ overB, overA, overA; \
	VPMOVQ2M overA, K6; \
	KANDNB K5, K6, K6; \
	KORTESTB K6, K6

// WATCHED leaves in K5 only where losses are above those that need an observation. A floor says so at less cost.
#define WATCHED \
	FLOOR(R8, R9, Z6, Z9, Z14); \
	FLOOR(R10, R11, Z10, Z13, Z15)

// FLOOR is under 4L: it leaves the groups but the first out of Σ n x².
#define FLOOR(H, C, d, half, x) \
	VMULPD const_cellQ0(C), d, x; \
	VMULPD x, x, x; \
	VFMADD231PD half, half, x; \
	VFMADD231PD half, half, x; \
	VMULPD.BCST under2<>(SB), x, x; \
	VCMPPD $14, const_headEscape(H), x, K5, K5

// TAILS leaves in K5 what WATCHED does, 4L in Z22 and Z23, and the signals' shares in Z24 and Z25.
#define TAILS \
	LOSS(R8, R9, Z6, Z7, Z8, Z22, Z14, Z15, Z16, Z17, Z28); \
	LOSS(R10, R11, Z10, Z11, Z12, Z23, Z14, Z15, Z16, Z17, Z28); \
	SHARE(R9, Z0, Z7, Z8, Z24, Z14, Z15); \
	SHARE(R11, Z3, Z11, Z12, Z25, Z16, Z17)

// LOSS is 4L; d is a0 - τ.
#define LOSS(H, C, d, a1, a2, loss, t, x1, y1, x2, y2) \
	VMULPD const_cellQ0(C), d, loss; \
	VMULPD const_cellQ1(C), a1, x1; \
	VMULPD const_cellQ2(C), a2, x2; \
	VMULPD const_cellN1(C), x1, y1; \
	VMULPD const_cellN2(C), x2, y2; \
	VADDPD y1, loss, t; \
	VADDPD y2, t, t; \
	VMULPD loss, loss, loss; \
	VMULPD x1, y1, y1; \
	VMULPD x2, y2, y2; \
	VADDPD y1, loss, loss; \
	VADDPD y2, loss, loss; \
	VADDPD loss, loss, loss; \
	VMULPD t, t, t; \
	VADDPD t, loss, loss; \
	VCMPPD $14, const_headEscape(H), loss, K5, K5

// SHARE is the signal's share of ‖W‖².
#define SHARE(C, w0, a1, a2, share, x, y) \
	VMULPD w0, w0, share; \
	VMULPD const_cellN1(C), a1, x; \
	VMULPD const_cellN2(C), a2, y; \
	VADDPD x, share, x; \
	VADDPD y, x, x; \
	VDIVPD x, share, share

// SUM adds what TAILS left to the sums over the tails.
#define SUM \
	ADD(R8, Z24, Z22); \
	ADD(R10, Z25, Z23)

#define ADD(H, share, loss) \
	VPANDQ const_headTailOn(H), share, share; \
	VADDPD const_headTailSignal(H), share, share; \
	VMOVUPD share, const_headTailSignal(H); \
	VMULPD.BCST quarter<>(SB), loss, loss; \
	VPANDQ const_headTailOn(H), loss, loss; \
	VADDPD const_headTailLoss(H), loss, loss; \
	VMOVUPD loss, const_headTailLoss(H)

// HALF takes τ off a0 and leaves ½T.
#define HALF(H, C, a0, a1, a2, half, x, y) \
	VSUBPD const_headTau(H), a0, a0; \
	VMULPD const_cellV0(C), a0, half; \
	VMULPD const_cellV1(C), a1, x; \
	VMULPD const_cellV2(C), a2, y; \
	VADDPD y, x, x; \
	VADDPD x, half, half

// LOOK leaves a = w², less τ in the first group, in Z6 to Z8 and Z10 to Z12, ½T in Z9 and Z13, and what UNOBSERVED asks for in K5, Z26 and
// Z27; it goes to watched where losses need an observation, too.
#define LOOK(watched) \
	ENERGIES(R8, R9, Z0, Z1, Z2, Z18, Z19, Z6, Z7, Z8, Z9, Z26, Z14); \
	ENERGIES(R10, R11, Z3, Z4, Z5, Z20, Z21, Z10, Z11, Z12, Z13, Z27, Z15); \
	BOUNDED(Z9, Z13); \
	HALF(R8, R9, Z6, Z7, Z8, Z9, Z14, Z15); \
	HALF(R10, R11, Z10, Z11, Z12, Z13, Z16, Z17); \
	TESTQ $const_flagWatched|const_flagTails, DX; \
	JNE watched

// LOOK_CLOSER is what a kernel does out of line, and the labels where it begins: watched and tails before it goes on at unobserved, sum before
// update.
#define LOOK_CLOSER(watched, tails, unobserved, sum, update) \
watched: \
	TESTQ $const_flagTails, DX; \
	JNE tails; \
	WATCHED; \
	JMP unobserved; \
tails: \
	TAILS; \
	JMP unobserved; \
sum: \
	SUM; \
	JMP update

// GD is w <- w (keep - m a - g ½T).
#define GD(H, C, w, a, half, x, y, m, g) \
	VMULPD m(C), a, a; \
	VMULPD g(C), half, y; \
	VMOVUPD const_headKeep(H), x; \
	VSUBPD a, x, x; \
	VSUBPD y, x, x; \
	VMULPD x, w, w

// func unobservedStepsGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)
TEXT ·unobservedStepsGD512(SB), NOSPLIT, $0-64
	BEGIN

step:
	LOOK(watched)

unobserved:
	UNOBSERVED(Z26, Z27)
	JCC  return
	TESTQ $const_flagTails, DX
	JNE  sum

update:
	BEFORE
	GD(R8, R9, Z0, Z6, Z9, Z14, Z15, const_cellM0, const_cellG0)
	GD(R10, R11, Z3, Z10, Z13, Z16, Z17, const_cellM0, const_cellG0)
	GD(R8, R9, Z1, Z7, Z9, Z22, Z23, const_cellM1, const_cellG1)
	GD(R10, R11, Z4, Z11, Z13, Z24, Z25, const_cellM1, const_cellG1)
	GD(R8, R9, Z2, Z8, Z9, Z26, Z27, const_cellM2, const_cellG2)
	GD(R10, R11, Z5, Z12, Z13, Z28, Z29, const_cellM2, const_cellG2)
	DECQ CX
	JNE  step

return:
	RETURN

	LOOK_CLOSER(watched, tails, unobserved, sum, update)

// SLOPE leaves (q a + ½T) w, half the gradient over q, in the place of a.
#define SLOPE(C, w, a, half, q) \
	VMULPD q(C), a, a; \
	VADDPD half, a, a; \
	VMULPD w, a, a

// COUNT leaves in K5 only where no gradient may count as zero: 0xA is the lesser size of two, 0xB the greater; Z29 is tiny.
#define COUNT(H, g0, g1, g2, least, most) \
	VRANGEPD $0xA, g1, g0, least; \
	VRANGEPD $0xB, g1, g0, most; \
	VRANGEPD $0xA, g2, least, least; \
	VRANGEPD $0xB, g2, most, most; \
	VFMADD132PD const_headZero(H), Z29, most; \
	VCMPPD $14, most, least, K5, K5

// DECAY is w <- keep w.
#define DECAY(H, w0, w1, w2) \
	VMULPD const_headKeep(H), w0, w0; \
	VMULPD const_headKeep(H), w1, w1; \
	VMULPD const_headKeep(H), w2, w2

// SPECGD is w <- w - rate sign(g); 0x78 is x ^ (y & z).
#define SPECGD(H, w, g, x) \
	VMOVUPD const_headRate(H), x; \
	VPTERNLOGQ.BCST $0x78, signBit<>(SB), g, x; \
	VSUBPD x, w, w

// func unobservedStepsSpecGD512(headA, cellsA, headB, cellsB unsafe.Pointer, n, flags int, limit float64) (taken int)
TEXT ·unobservedStepsSpecGD512(SB), NOSPLIT, $0-64
	BEGIN
	VBROADCASTSD tiny<>(SB), Z29

step:
	LOOK(watched)

unobserved:
	SLOPE(R9, Z0, Z6, Z9, const_cellQ0)
	SLOPE(R11, Z3, Z10, Z13, const_cellQ0)
	SLOPE(R9, Z1, Z7, Z9, const_cellQ1)
	SLOPE(R11, Z4, Z11, Z13, const_cellQ1)
	SLOPE(R9, Z2, Z8, Z9, const_cellQ2)
	SLOPE(R11, Z5, Z12, Z13, const_cellQ2)
	COUNT(R8, Z6, Z7, Z8, Z14, Z15)
	COUNT(R10, Z10, Z11, Z12, Z16, Z17)
	UNOBSERVED(Z26, Z27)
	JCC  return
	TESTQ $const_flagTails, DX
	JNE  sum

update:
	BEFORE
	TESTQ $const_flagDecays, DX
	JEQ  signs
	DECAY(R8, Z0, Z1, Z2)
	DECAY(R10, Z3, Z4, Z5)

signs:
	SPECGD(R8, Z0, Z6, Z14)
	SPECGD(R10, Z3, Z10, Z15)
	SPECGD(R8, Z1, Z7, Z16)
	SPECGD(R10, Z4, Z11, Z17)
	SPECGD(R8, Z2, Z8, Z22)
	SPECGD(R10, Z5, Z12, Z23)
	DECQ CX
	JNE  step

return:
	RETURN

	LOOK_CLOSER(watched, tails, unobserved, sum, update)

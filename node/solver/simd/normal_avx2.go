// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

func boxMuller256(p *pairs) {
	one, two, half := set256(1), set256(2), set256(0.5)
	for i := 0; i < blockPairs; i += width256 {
		m, e := at256(unsafe.Pointer(&p.m[i]), 0), at256(unsafe.Pointer(&p.e[i]), 0)
		f := m.Sub(one)
		s := f.Div(two.Add(f))
		z := s.Mul(s)
		w := z.Mul(z)
		even := w.Mul(set256(log2).Add(w.Mul(set256(log4).Add(w.Mul(set256(log6))))))
		odd := z.Mul(set256(log1).Add(w.Mul(set256(log3).Add(w.Mul(set256(log5).Add(w.Mul(set256(log7))))))))
		square := half.Mul(f).Mul(f)
		low := s.Mul(square.Add(even.Add(odd))).Add(e.Mul(set256(ln2Low)))
		log := e.Mul(set256(ln2High)).Sub(square.Sub(low).Sub(f))
		radius := set256(-2).Mul(log).Sqrt()

		x := at256(unsafe.Pointer(&p.angle[i]), 0)
		y := x.Mul(x)
		sin := y.Mul(set256(sin6)).Add(set256(sin5))
		sin = y.Mul(sin).Add(set256(sin4))
		sin = y.Mul(sin).Add(set256(sin3))
		sin = y.Mul(sin).Add(set256(sin2))
		sin = y.Mul(sin).Add(set256(sin1))
		sin = x.Add(x.Mul(y).Mul(sin))
		cos := y.Mul(set256(cos6)).Add(set256(cos5))
		cos = y.Mul(cos).Add(set256(cos4))
		cos = y.Mul(cos).Add(set256(cos3))
		cos = y.Mul(cos).Add(set256(cos2))
		cos = y.Mul(cos).Add(set256(cos1))
		cos = one.Sub(half.Mul(y)).Add(y.Mul(y).Mul(cos))

		turnCos, turnSin := at256(unsafe.Pointer(&p.turnCos[i]), 0), at256(unsafe.Pointer(&p.turnSin[i]), 0)
		put256(radius.Mul(cos.Mul(turnCos).Sub(sin.Mul(turnSin))), unsafe.Pointer(&p.m[i]), 0)
		put256(radius.Mul(sin.Mul(turnCos).Add(cos.Mul(turnSin))), unsafe.Pointer(&p.e[i]), 0)
	}
	done256()
}

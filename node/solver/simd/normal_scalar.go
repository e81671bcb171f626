// Code generated from the AVX-512 form by go generate. DO NOT EDIT.

package simd

import "unsafe"

func boxMuller64(p *pairs) {
	one, two, half := set64(1), set64(2), set64(0.5)
	for i := 0; i < blockPairs; i += width64 {
		m, e := at64(unsafe.Pointer(&p.m[i]), 0), at64(unsafe.Pointer(&p.e[i]), 0)
		f := m.Sub(one)
		s := f.Div(two.Add(f))
		z := s.Mul(s)
		w := z.Mul(z)
		even := w.Mul(set64(log2).Add(w.Mul(set64(log4).Add(w.Mul(set64(log6))))))
		odd := z.Mul(set64(log1).Add(w.Mul(set64(log3).Add(w.Mul(set64(log5).Add(w.Mul(set64(log7))))))))
		square := half.Mul(f).Mul(f)
		low := s.Mul(square.Add(even.Add(odd))).Add(e.Mul(set64(ln2Low)))
		log := e.Mul(set64(ln2High)).Sub(square.Sub(low).Sub(f))
		radius := set64(-2).Mul(log).Sqrt()

		x := at64(unsafe.Pointer(&p.angle[i]), 0)
		y := x.Mul(x)
		sin := y.Mul(set64(sin6)).Add(set64(sin5))
		sin = y.Mul(sin).Add(set64(sin4))
		sin = y.Mul(sin).Add(set64(sin3))
		sin = y.Mul(sin).Add(set64(sin2))
		sin = y.Mul(sin).Add(set64(sin1))
		sin = x.Add(x.Mul(y).Mul(sin))
		cos := y.Mul(set64(cos6)).Add(set64(cos5))
		cos = y.Mul(cos).Add(set64(cos4))
		cos = y.Mul(cos).Add(set64(cos3))
		cos = y.Mul(cos).Add(set64(cos2))
		cos = y.Mul(cos).Add(set64(cos1))
		cos = one.Sub(half.Mul(y)).Add(y.Mul(y).Mul(cos))

		turnCos, turnSin := at64(unsafe.Pointer(&p.turnCos[i]), 0), at64(unsafe.Pointer(&p.turnSin[i]), 0)
		put64(radius.Mul(cos.Mul(turnCos).Sub(sin.Mul(turnSin))), unsafe.Pointer(&p.m[i]), 0)
		put64(radius.Mul(sin.Mul(turnCos).Add(cos.Mul(turnSin))), unsafe.Pointer(&p.e[i]), 0)
	}
	done64()
}

//go:build goexperiment.simd && amd64

package simd

import "unsafe"

func boxMuller512(p *pairs) {
	one, two, half := set512(1), set512(2), set512(0.5)
	for i := 0; i < blockPairs; i += width512 {
		m, e := at512(unsafe.Pointer(&p.m[i]), 0), at512(unsafe.Pointer(&p.e[i]), 0)
		f := m.Sub(one)
		s := f.Div(two.Add(f))
		z := s.Mul(s)
		w := z.Mul(z)
		even := w.Mul(set512(log2).Add(w.Mul(set512(log4).Add(w.Mul(set512(log6))))))
		odd := z.Mul(set512(log1).Add(w.Mul(set512(log3).Add(w.Mul(set512(log5).Add(w.Mul(set512(log7))))))))
		square := half.Mul(f).Mul(f)
		low := s.Mul(square.Add(even.Add(odd))).Add(e.Mul(set512(ln2Low)))
		log := e.Mul(set512(ln2High)).Sub(square.Sub(low).Sub(f))
		radius := set512(-2).Mul(log).Sqrt()

		x := at512(unsafe.Pointer(&p.angle[i]), 0)
		y := x.Mul(x)
		sin := y.Mul(set512(sin6)).Add(set512(sin5))
		sin = y.Mul(sin).Add(set512(sin4))
		sin = y.Mul(sin).Add(set512(sin3))
		sin = y.Mul(sin).Add(set512(sin2))
		sin = y.Mul(sin).Add(set512(sin1))
		sin = x.Add(x.Mul(y).Mul(sin))
		cos := y.Mul(set512(cos6)).Add(set512(cos5))
		cos = y.Mul(cos).Add(set512(cos4))
		cos = y.Mul(cos).Add(set512(cos3))
		cos = y.Mul(cos).Add(set512(cos2))
		cos = y.Mul(cos).Add(set512(cos1))
		cos = one.Sub(half.Mul(y)).Add(y.Mul(y).Mul(cos))

		turnCos, turnSin := at512(unsafe.Pointer(&p.turnCos[i]), 0), at512(unsafe.Pointer(&p.turnSin[i]), 0)
		put512(radius.Mul(cos.Mul(turnCos).Sub(sin.Mul(turnSin))), unsafe.Pointer(&p.m[i]), 0)
		put512(radius.Mul(sin.Mul(turnCos).Add(cos.Mul(turnSin))), unsafe.Pointer(&p.e[i]), 0)
	}
	done512()
}

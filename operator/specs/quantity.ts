const UNITS: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** As Kubernetes reads them: a number, and a unit or a power of ten. */
const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/

/** Bytes of a Kubernetes quantity (`10Gi`, `1.5G`, `1e9`); NaN where it is none. Exact enough to compare sizes of volumes. */
export function quantityBytes(quantity: string): number {
  const [, digits, exponent = '', suffix = ''] = QUANTITY.exec(quantity) ?? []
  const unit = UNITS[suffix]
  return digits === undefined || unit === undefined ? Number.NaN : Number(digits + exponent) * unit
}

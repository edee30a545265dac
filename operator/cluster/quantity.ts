const UNITS: Record<string, number> = {
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

/** Bytes of a Kubernetes quantity (`10Gi`, `1.5G`, `1e9`); NaN where it is none. Exact enough to compare sizes of volumes. */
export function quantityBytes(quantity: string): number {
  const match = /^(\d+(?:\.\d+)?(?:[eE]\d+)?)([kMGTPE]|[KMGTPE]i)?$/.exec(quantity)
  const unit = UNITS[match?.[2] ?? '']
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit
}

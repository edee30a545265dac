// The broker declares the half that it uses; here a client reads too.
declare module 'snappyjs' {
  export function uncompress(data: Uint8Array, maxBytes?: number): Uint8Array
}

// Gathers a body out of the pieces it comes in, for sockets and for web streams. Owns how much of one is held, and in how
// many pieces it may come; knows nothing of what the bytes mean.

/** Grows from here: a client that announces much and sends little costs little. In bytes. */
const first = 1024

/**
 * A piece costs some hundred bytes and microseconds however short it is. TCP brings 64 KiB in less than a hundred; only a
 * client that means harm sends them one byte at a time.
 */
const mostPieces = 1024

export type Gathering = {
  /** Copies the piece. False: that was too much, or one piece too many; there is no body then. */
  add(piece: Uint8Array): boolean
  /** All pieces so far. */
  bytes(): Uint8Array<ArrayBuffer>
}

/** `most`: bytes that are taken at most. */
export function openGathering(most: number): Gathering {
  let held = new Uint8Array(Math.min(first, most))
  let length = 0
  let pieces = 0
  return {
    add(piece) {
      pieces += 1
      if (pieces > mostPieces || length + piece.length > most) return false
      if (length + piece.length > held.length) {
        const larger = new Uint8Array(Math.min(most, Math.max(2 * held.length, length + piece.length)))
        larger.set(held.subarray(0, length))
        held = larger
      }
      held.set(piece, length)
      length += piece.length
      return true
    },
    bytes: () => held.subarray(0, length),
  }
}

// One call and its answer as plain data: all that the pipeline knows of HTTP. Sockets stay in node.ts, web standards in
// fetch.ts.

/** The bytes of a body; or why there are none: more than was asked for, or the client broke off. */
export type Body = Uint8Array | 'too_large' | 'cut_short'

export type Call = {
  /** Names the call in logs and faults. */
  readonly id: string
  /** Upper case, as it came. */
  readonly method: string
  /** As it came: without query, nothing decoded. */
  readonly path: string
  /** As it came, without the `?`; empty: there is none. */
  readonly query: string
  /** By lower-case name. Repeated headers are joined by `, `, cookies by `; `. */
  header(name: string): string | undefined
  /** The peer of the socket; undefined: nobody knows. */
  readonly address: string | undefined
  /** At most `most` bytes. Asked at most once, and only where a body counts. Empty: there is none. */
  body(most: number): Promise<Body>
}

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A Set-Cookie line each. */
  readonly cookies: readonly string[]
  /** Empty: none. Bytes may be shared by many answers and are never written to. */
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** Where the rim tells what people who run it must know; a pino logger is one. */
export type Log = {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** The two parts of a target that begins with its path. */
export function splitTarget(target: string): Pick<Call, 'path' | 'query'> {
  const mark = target.indexOf('?')
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/** In bytes; beyond it nothing is read. */
export const largestBody = 64 * 1024

/** The same where no field is taken: front ends send `{}` or what they always send. */
export const largestIgnoredBody = 4 * 1024

// What a plain GET page is to the pipeline that serves it: a path, a type, a text or bytes that are read once. Knows
// neither calls nor dialects.

export type Page = {
  /** Exact, from the root: no prefix is put before it. */
  readonly path: string
  /** Content-Type, with its charset. */
  readonly type: string
  /** In place of the API's Content-Security-Policy. */
  readonly csp?: string
  /** In place of the floor's headers of the same names, which are spelt alike: `Cache-Control`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Made when it is asked for; what is large is kept by `readOnce`. */
  readonly body: () => PageBody | Promise<PageBody>
}

export type PageBody = string | Uint8Array<ArrayBuffer>

/**
 * Reads when first asked, also when many ask at once, and from then on gives the same bytes to all: answers that nobody
 * reads hold no copies. A failure is not kept.
 */
export function readOnce(read: () => Promise<string>): () => Promise<Uint8Array<ArrayBuffer>> {
  let kept: Promise<Uint8Array<ArrayBuffer>> | undefined
  return () => {
    kept ??= read().then(
      text => new TextEncoder().encode(text),
      (error: unknown) => {
        kept = undefined
        throw error
      },
    )
    return kept
  }
}

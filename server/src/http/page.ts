// What a plain GET page is to the pipeline that serves it: a path, a type, a text. Knows neither calls nor dialects.

export type Page = {
  /** Exact, from the root: no prefix is put before it. */
  readonly path: string
  /** Content-Type, with its charset. */
  readonly type: string
  /** In place of the API's Content-Security-Policy. */
  readonly csp?: string
  /** In place of the floor's headers of the same names, which are spelt alike: `Cache-Control`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Made or read when it is asked for, never kept. */
  readonly body: () => string | Promise<string>
}

// The two things that are thrown. A refusal is neither: it is a value (refusal.ts).

/** A bug or an outage. Caught once, at the rim: 503 when waiting may help (`retryAfter`, seconds), else 500. */
export class Fault extends Error {
  override name = 'Fault'
  readonly retryAfter: number | undefined

  constructor(message: string, options?: { cause?: unknown; retryAfter?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.retryAfter = options?.retryAfter
  }
}

/** One thing that is wrong or risky in the configuration. */
export type Finding = {
  /** The option, dialect or route it is about. */
  readonly about: string
  readonly wrong: string
  /** What to write or run instead. */
  readonly instead: string
}

/** Wrong use, found at start: all findings at once. The command line exits with 2. */
export class Misuse extends Error {
  override name = 'Misuse'
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(findings.map(({ about, wrong, instead }) => `${about}: ${wrong}. ${instead}`).join('\n'))
    this.findings = findings
  }
}

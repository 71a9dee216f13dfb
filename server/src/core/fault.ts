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

/** The code by which the system, or Node, tells its errors apart (`ENOENT`); undefined for what is none of those. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined

/** What an error says, in its own words. */
export function reasonOf(error: unknown): string {
  // A host with several addresses fails with one error for each, and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
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

/** With one finding. */
export const misuse = (about: string, wrong: string, instead: string): Misuse =>
  new Misuse([{ about, wrong, instead }])

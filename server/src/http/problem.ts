// A "no" of what belongs to no dialect, as a problem document. Which "no" it is, others decide.
import { type Refusal, writeProblem } from '../core/refusal.ts'
import { challenge, waits } from './headers.ts'
import type { JsonAnswer } from './served.ts'

/** `detail`: for people, where they are told more than the refusal's own sentence. */
export function problemOf(
  refusal: Refusal,
  { detail, callId }: { readonly detail?: string; readonly callId?: string } = {},
): JsonAnswer {
  const problem = writeProblem({ ...refusal, callId }, detail)
  return { ...problem, headers: { ...challenge(problem.status), ...waits(refusal) } }
}

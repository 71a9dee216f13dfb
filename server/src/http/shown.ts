// A dialect for people: forms in, pages out. Its routes ask as others do and show what came of it; what a page may know of
// its call, and what it may answer, stands here. Knows no page.
import type { OperationName } from '../core/input.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Done } from '../operations/contract.ts'
import type { Asks, DialectOf, Takes, TakesInput } from './dialect.ts'
import type { Html } from './html.ts'

/** What a page may know of the call that it answers. */
export type Seen = {
  readonly callId: string
  /** Fresh for every answer: scripts without it do not run. */
  readonly nonce: string
  /** The fields of the form or of the query, known or not. Passwords are not among them: nothing can echo one. */
  readonly fields: Readonly<Record<string, string>>
  /** As browsers know it: below `root`, without query. */
  readonly path: string
  /** What browsers put before the paths of the dialect: `''` or `/x`. */
  readonly root: string
  /** `Site.url`: what a path of this host is resolved by. */
  readonly url: string
  /** Exact origins: who else may be sent to. */
  readonly listed: ReadonlySet<string>
  /** Which cookies came, whatever they are worth. */
  readonly came: { readonly access: boolean; readonly refresh: boolean; readonly signIn: boolean }
  /** Sec-Fetch-Site as it came: where the navigation began. */
  readonly from: string | undefined
}

/** A page; or where to go on by GET (303, RFC 9110 §15.4.4), as a URL reference in ASCII. */
export type Shown = { readonly html: Html; readonly status?: number } | { readonly goTo: string }

export type NamedRefusal = Refusal & { readonly callId: string }

export type PageRoute<O extends OperationName = OperationName> = Asks<O> & {
  /** Answers before the operation is asked, where that is not to be. */
  readonly first?: (seen: Seen) => Shown | undefined
  /** 200 unless the page says otherwise. */
  show(done: Done[O], seen: Seen): Shown
  /**
   * Issues are by the wire's names. Without a status of its own the page has the refusal's, so that tests and password
   * managers see the truth. Undefined: the dialect's.
   */
  readonly refused?: (refusal: NamedRefusal, seen: Seen) => Shown | undefined
}

type PageInput<O extends OperationName, T extends Takes<O>> = {
  summary: string
  show: (done: Done[O], seen: Seen) => Shown
  first?: PageRoute['first']
  refused?: PageRoute['refused']
} & TakesInput<O, T>

/** The only way to make a page's route: what is taken and what is done are held together by types. */
export function page<const O extends OperationName, const T extends Takes<O>>(
  does: O,
  input: PageInput<O, T>,
): PageRoute<O> {
  return {
    does,
    summary: input.summary,
    takes: input.takes ?? {},
    requires: input.requires ?? [],
    csrf: undefined,
    show: input.show,
    ...(input.first ? { first: input.first } : {}),
    ...(input.refused ? { refused: input.refused } : {}),
  }
}

/** In no API document and no playground: those ask for a Dialect. */
export type PageDialect = DialectOf<PageRoute> & {
  readonly reads: 'form'
  /** Whatever its routes do not show themselves. */
  readonly refused: (refusal: NamedRefusal, seen: Seen) => Shown
}

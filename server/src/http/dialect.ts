// A dialect is a value: which paths there are, how they rename, what they answer. It decides nothing. Shared code never
// asks for a dialect's name: what differs is a field. http/mount.ts refuses broken ones at start.
import type { z } from 'zod'
import { Fault } from '../core/fault.ts'
import type { InputField, inputs, OperationName } from '../core/input.ts'
import type { Delivery, User } from '../core/model.ts'
import type { PolicyPatch } from '../core/policy.ts'
import type { Refusal, RefusalCode } from '../core/refusal.ts'
import type { Done, Tokens } from '../operations/contract.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A cookie as this dialect's front ends know it. Secure comes from the configuration, HttpOnly from the role. */
export type CookieSpec = {
  /** Without `__Host-`; see `host`. */
  readonly name: string
  /** `--prefix` is put before it, unless it is `/`. */
  readonly path: string
  readonly sameSite: 'Strict' | 'Lax'
  /** Over https the name gets `__Host-` in front (then path is `/` and there is no Domain). */
  readonly host?: true
}

/** The readable cookie of the double submit; written by sign-in and by the CSRF call. */
export type CsrfSpec = {
  readonly cookie: CookieSpec
  /** Lower case. */
  readonly header: string
  /** Seconds; undefined: as long as the refresh cookie. */
  readonly maxAge?: number
  /** A token is asked for only when a refresh or sign-in cookie came: without one there is nothing to forge. */
  readonly onlyWithCookie?: true
  /**
   * Sign-in writes it for the front end beside these routes; they themselves ask for no token. Only where the floor alone is
   * enough: the routes read forms, which no page can send from elsewhere past Origin and Fetch Metadata (verify/src/guard.ts).
   */
  readonly writtenOnly?: true
}

export type Success = 200 | 201 | 204

export type ErrorReply = { readonly status: number; readonly body: unknown; readonly type?: string }

/** `issue.field` is already the wire's name. */
export type RenderRefusal = (refusal: Refusal & { readonly callId: string }) => ErrorReply

type RequiredField<O extends OperationName> = {
  [F in InputField<O>]: undefined extends z.input<(typeof inputs)[O]>[F & keyof z.input<(typeof inputs)[O]>]
    ? never
    : F
}[InputField<O>]

/** Wire name → the operation's name. Two wire names for one field: the first that is there counts. `:id` is a path parameter. */
export type Takes<O extends OperationName> = Readonly<Record<string, InputField<O>>>

/** What a route asks of a call, whatever it answers. */
export type Asks<O extends OperationName = OperationName> = {
  readonly does: O
  /** One sentence, for the OpenAPI document where there is one. */
  readonly summary: string
  readonly takes: Readonly<Record<string, string>>
  /** Wire names that this dialect demands although the operation does not. */
  readonly requires: readonly string[]
  /** In a dialect with CSRF tokens: what this call needs. */
  readonly csrf: 'any' | 'session' | undefined
}

export type Route<O extends OperationName = OperationName> = Asks<O> & {
  /** The one status of success. */
  readonly status: Success
  /** The body of success; null: none. */
  readonly answer: z.ZodType | null
  // A method, not a property: routes of all operations stand in one table.
  write(done: Done[O], tokens: Tokens): unknown
  /** Before the dialect's own. */
  readonly refusals: Partial<Record<RefusalCode, RenderRefusal>>
}

/** The fields of one operation, each taken from somewhere. */
export type TakesInput<O extends OperationName, T extends Takes<O>> = {
  requires?: readonly (keyof T & string)[]
} & ([RequiredField<O>] extends [never] ? { takes?: T } : { takes: T & Covers<O, T> })

type RouteInput<O extends OperationName, S extends z.ZodType | null, T extends Takes<O>> = {
  summary: string
  status: Success
  answer: S
  csrf?: 'any' | 'session'
  refusals?: Partial<Record<RefusalCode, RenderRefusal>>
} & (S extends z.ZodType ? { write: (done: Done[O], tokens: Tokens) => z.input<S> } : { write?: never }) &
  TakesInput<O, T>

/** Fails to compile when a field that the operation requires is taken from nowhere. */
type Covers<O extends OperationName, T> = [RequiredField<O>] extends [T[keyof T]]
  ? unknown
  : { [F in Exclude<RequiredField<O>, T[keyof T]> as `nothing is taken for ${F}`]: never }

/** The only way to make a route: what is taken, returned and described is held together by types. */
export function route<
  const O extends OperationName,
  const S extends z.ZodType | null,
  const T extends Takes<O>,
>(does: O, input: RouteInput<O, S, T>): Route<O> {
  return {
    does,
    summary: input.summary,
    takes: input.takes ?? {},
    requires: input.requires ?? [],
    status: input.status,
    answer: input.answer,
    write: input.write ?? (() => undefined),
    csrf: input.csrf,
    refusals: input.refusals ?? {},
  }
}

/** The access token of an answer that always carries one, with its span in seconds. Throws: the operation broke its promise. */
export function accessOf(tokens: Tokens): NonNullable<Tokens['access']> {
  if (!tokens.access) throw new Fault('An answer that carries an access token was given none')
  return tokens.access
}

/** What every dialect is, whatever its routes answer with. */
export type DialectOf<R extends Asks = Asks> = {
  readonly name: string
  /** One sentence: whose front ends speak it. */
  readonly summary: string
  /** `POST /auth/login`. A trailing `/` in the path is required, unless `slash` says otherwise. */
  readonly routes: Readonly<Record<`${Method} /${string}`, R>>
  /** Bodies are forms, and a GET's fields stand in its query. Else JSON, and a GET has none. */
  readonly reads?: 'form'
  /** `any`: with or without the trailing slash. */
  readonly slash: 'exact' | 'any'
  readonly cookies: {
    readonly access?: CookieSpec
    readonly refresh: CookieSpec
    /** Attributes of `refresh`, another name. */
    readonly signIn: string
    readonly csrf?: CsrfSpec
  }
  /** Whether access tokens are read from `Authorization: Bearer` (from the access cookie whenever there is one). */
  readonly bearer: boolean
  readonly delivery: Delivery
  readonly subject: 'id' | 'number'
  readonly claims?: (user: User) => Readonly<Record<string, unknown>>
  /** Its front ends' numbers; the rest are defaults. */
  readonly policy: PolicyPatch
  /** Always listed unless the operator lists others. */
  readonly origins: readonly string[]
  /** They stay listed beside the operator's. In production never. */
  readonly keepsOrigins?: true
}

/** A dialect that programs speak: JSON out. One for people is http/shown.ts. */
export type Dialect = DialectOf<Route> & {
  readonly refusals: Partial<Record<RefusalCode, RenderRefusal>> & { readonly otherwise: RenderRefusal }
  /** What every refusal's body looks like, for the OpenAPI document. */
  readonly error: z.ZodType
}

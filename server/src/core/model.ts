// The nouns that the store keeps and every room speaks of. Times are epoch milliseconds; spans are milliseconds.

export type User = {
  /** Opaque: 127 random bits, base64url; begins with a letter. */
  readonly id: string
  /** 1, 2, 3 …, for dialects whose contract shows an integer. Given by the store. */
  readonly number: number
  /** As typed. */
  readonly email: string
  readonly username: string | null
  /** Full name. */
  readonly name: string | null
  /** What the application keeps about the person; Rusk never reads it. */
  readonly profile: Readonly<Record<string, unknown>>
  readonly active: boolean
  readonly superuser: boolean
  /**
   * Goes up when every earlier sign-in must be forgotten: a new password, a disabled user. From 0 for whoever an operator has
   * made, who may come from another system; from 1 for whoever has signed up here.
   */
  readonly epoch: number
  readonly createdAt: number
  readonly lastSignInAt: number | null
}

/** A user's number as people and tokens write it; undefined: that is none. */
export const readNumber = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** The `sub` of access tokens, where that is one of a user's two ids. */
export const subjectOf = (
  { id, number }: User,
  { subject }: { readonly subject: 'id' | 'number' },
): string => (subject === 'id' ? id : String(number))

/** A user as sign-up writes it: the store gives the number. */
export type NewUser = Omit<User, 'number'> & {
  readonly emailKey: string
  readonly usernameKey: string | null
}

/** Where the access token travels: in its cookie, or in the answer and then the Authorization header. */
export type Delivery = 'cookies' | 'memory'

/** The four integers of the session rule (core/session.ts). */
export type Line = {
  readonly previous: number
  readonly current: number
  readonly successor: number
  readonly changedAt: number
}

export type EndReason =
  | 'signed_out'
  | 'signed_in_anew'
  | 'ended_by_user'
  | 'reused'
  | 'revoked'
  | 'user_disabled'
  | 'password_changed'

/** One signed-in browser. */
export type Session = Line & {
  /** Opaque: 127 random bits, base64url; begins with a letter. */
  readonly id: string
  readonly userId: string
  readonly delivery: Delivery
  readonly openedAt: number
  /** Absolute end, whatever happens. */
  readonly endsAt: number
  /** Moves forward with every change of the line. */
  readonly idleEndsAt: number
  readonly endedAt: number | null
  readonly endedBecause: EndReason | null
  readonly lastUsedAt: number
  /** As the browser named itself, 256 characters at most. */
  readonly userAgent: string
  readonly address: string
}

/** A session that has ended, and when. */
export type Ended = { readonly id: string; readonly endedAt: number }

/** A session and whose it is: what every signed-in call needs. */
export type Holder = { readonly session: Session; readonly user: User }

/** A token of the old system has opened a session. */
export type Exchange = {
  /** SHA-256 of the token's text, base64url: what could be presented is not kept. */
  readonly digest: string
  /** 1, 2, 3 …, by token. */
  readonly number: number
  readonly sessionId: string
  /** When the token is over, and this of no more use. */
  readonly expiresAt: number
}

export type EventType =
  | 'signed_up'
  | 'signed_in'
  | 'sign_in_refused'
  | 'exchange_refused'
  | 'exchange_reused'
  | 'signed_out'
  | 'session_ended'
  | 'session_reused'
  | 'store_went_back'
  | 'cookie_conflict'
  | 'user_disabled'
  | 'user_enabled'
  | 'password_changed'
  | 'password_change_refused'
  | 'password_rehashed'
  | 'password_record_malformed'
  | 'key_added'
  | 'key_retired'
  | 'key_erased'
  | 'keys_resealed'

/** One line of the audit trail; it commits with what it reports. */
export type Event = {
  readonly type: EventType
  readonly at: number
  readonly userId: string | null
  readonly sessionId: string | null
  /** The client's address; empty for the command line. */
  readonly address: string
  readonly callId: string
  /** Never a secret, never a full e-mail address. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

export type LetterKind = 'session_reused' | 'password_changed'

/** Something a person is to be told by mail. It commits with what it tells of, and waits in the outbox to be sent. */
export type Letter = {
  readonly kind: LetterKind
  readonly userId: string
  /** The address at that moment: who takes an account over must not be the one who is told. */
  readonly to: string
  readonly at: number
  /** Where it happened: the client's address and how its browser named itself. */
  readonly address: string
  readonly userAgent: string
}

/** `sign`: access tokens. `mac`: refresh and CSRF tokens. */
export type KeyUse = 'sign' | 'mac'

/** A key as the store keeps it: the secret part only ever sealed. */
export type KeyRow = {
  readonly id: string
  readonly use: KeyUse
  readonly algorithm: 'ES256' | 'EdDSA' | 'HS256'
  /** AES-256-GCM of the private JWK, or of the MAC key's bytes. */
  readonly sealed: string
  /** The public JWK as JSON; null for a MAC key. */
  readonly published: string | null
  readonly createdAt: number
  /** Published from `createdAt`, signs from here on. */
  readonly signsFrom: number
  /** No longer published or accepted from here on; null while it is in use. */
  readonly retiresAt: number | null
}

// The tables as both drivers see them, and how rows become the nouns of core/model.ts. Everything is a text, an integer
// or null, so that a row is the same row on every driver. Knows no driver and no SQL.
import type { ColumnType, Generated } from 'kysely'
import type {
  Delivery,
  Ended,
  EndReason,
  Event,
  EventType,
  Exchange,
  Holder,
  KeyRow,
  KeyUse,
  Letter,
  LetterKind,
  NewUser,
  Session,
  User,
} from '../core/model.ts'
import type { Account } from './port.ts'

/** What a column can hold. Times are epoch milliseconds, flags are 0 or 1. */
export type Cell = string | number | null

export type UserColumns = {
  number: Generated<number>
  id: string
  email: string
  email_key: string
  username: string | null
  username_key: string | null
  name: string | null
  /** JSON */
  profile: string
  active: number
  superuser: number
  epoch: number
  created_at: number
  last_sign_in_at: number | null
}

export type CredentialColumns = {
  id: Generated<number>
  user_id: string
  kind: 'password'
  record: string
  created_at: number
  changed_at: number
}

export type SessionColumns = {
  id: string
  user_id: string
  delivery: Delivery
  previous: number
  current: number
  successor: number
  changed_at: number
  opened_at: number
  ends_at: number
  idle_ends_at: number
  ended_at: number | null
  ended_because: EndReason | null
  last_used_at: number
  user_agent: string
  address: string
}

export type EventColumns = {
  number: Generated<number>
  type: EventType
  at: number
  user_id: string | null
  session_id: string | null
  address: string
  call_id: string
  /** JSON */
  detail: string | null
}

export type LetterColumns = {
  number: Generated<number>
  kind: LetterKind
  user_id: string
  recipient: string
  at: number
  address: string
  user_agent: string
  /** Null: it waits to be sent. */
  sent_at: number | null
}

export type ExchangeColumns = {
  /** The session's. */
  id: string
  digest: string
  number: number
  expires_at: number
}

export type KeyColumns = {
  id: string
  use: KeyUse
  algorithm: KeyRow['algorithm']
  sealed: string
  published: string | null
  created_at: number
  signs_from: number
  retires_at: number | null
  /** The key that was the newest of its use when this one came, or ''. Unique by use: two servers cannot both follow one key. */
  follows: ColumnType<never, string, never>
}

export type Tables = {
  users: UserColumns
  credentials: CredentialColumns
  sessions: SessionColumns
  exchanges: ExchangeColumns
  events: EventColumns
  letters: LetterColumns
  keys: KeyColumns
}

/** In this order statements ask for them; `id` apart, because a holder's row has two. */
export const userColumns = [
  'number',
  'email',
  'username',
  'name',
  'profile',
  'active',
  'superuser',
  'epoch',
  'created_at',
  'last_sign_in_at',
] as const satisfies readonly (keyof UserColumns)[]

export const sessionColumns = [
  'id',
  'user_id',
  'delivery',
  'previous',
  'current',
  'successor',
  'changed_at',
  'opened_at',
  'ends_at',
  'idle_ends_at',
  'ended_at',
  'ended_because',
  'last_used_at',
  'user_agent',
  'address',
] as const satisfies readonly (keyof SessionColumns)[]

export const exchangeColumns = [
  'id',
  'digest',
  'number',
  'expires_at',
] as const satisfies readonly (keyof ExchangeColumns)[]

export const keyColumns = [
  'id',
  'use',
  'algorithm',
  'sealed',
  'published',
  'created_at',
  'signs_from',
  'retires_at',
] as const satisfies readonly (keyof KeyColumns)[]

export const eventColumns = [
  'type',
  'at',
  'user_id',
  'session_id',
  'address',
  'call_id',
  'detail',
] as const satisfies readonly (keyof EventColumns)[]

export const letterColumns = [
  'kind',
  'user_id',
  'recipient',
  'at',
  'address',
  'user_agent',
] as const satisfies readonly (keyof LetterColumns)[]

type Selected<T> = {
  [C in keyof T]: T[C] extends Generated<infer V> ? V : T[C]
}

export type UserRow = Pick<Selected<UserColumns>, (typeof userColumns)[number]>
export type SessionRow = Pick<SessionColumns, (typeof sessionColumns)[number]>
export type KeyColumnsRead = Pick<KeyColumns, (typeof keyColumns)[number]>
export type EventRow = Pick<EventColumns, (typeof eventColumns)[number]>
export type LetterRow = Pick<LetterColumns, (typeof letterColumns)[number]>

/** `id` is given apart because a row that joins a session and its user has the session's under that name. */
export const readUser = (row: UserRow, id: string): User => ({
  id,
  number: row.number,
  email: row.email,
  username: row.username,
  name: row.name,
  profile: JSON.parse(row.profile),
  active: row.active === 1,
  superuser: row.superuser === 1,
  epoch: row.epoch,
  createdAt: row.created_at,
  lastSignInAt: row.last_sign_in_at,
})

export const readAccount = (row: UserRow & { id: string; record: string | null }): Account => ({
  user: readUser(row, row.id),
  password: row.record,
})

export const readSession = (row: SessionRow): Session => ({
  id: row.id,
  userId: row.user_id,
  delivery: row.delivery,
  previous: row.previous,
  current: row.current,
  successor: row.successor,
  changedAt: row.changed_at,
  openedAt: row.opened_at,
  endsAt: row.ends_at,
  idleEndsAt: row.idle_ends_at,
  endedAt: row.ended_at,
  endedBecause: row.ended_because,
  lastUsedAt: row.last_used_at,
  userAgent: row.user_agent,
  address: row.address,
})

/** Only rows that have ended are asked for. */
export const readEnded = (row: Pick<SessionColumns, 'id' | 'ended_at'>): Ended => ({
  id: row.id,
  endedAt: row.ended_at ?? 0,
})

export const readHolder = (row: SessionRow & UserRow): Holder => ({
  session: readSession(row),
  user: readUser(row, row.user_id),
})

export const readKey = (row: KeyColumnsRead): KeyRow => ({
  id: row.id,
  use: row.use,
  algorithm: row.algorithm,
  sealed: row.sealed,
  published: row.published,
  createdAt: row.created_at,
  signsFrom: row.signs_from,
  retiresAt: row.retires_at,
})

export const readEvent = (row: EventRow): Event => ({
  type: row.type,
  at: row.at,
  userId: row.user_id,
  sessionId: row.session_id,
  address: row.address,
  callId: row.call_id,
  ...(row.detail === null ? {} : { detail: JSON.parse(row.detail) }),
})

export const readLetter = (row: LetterRow): Letter => ({
  kind: row.kind,
  userId: row.user_id,
  to: row.recipient,
  at: row.at,
  address: row.address,
  userAgent: row.user_agent,
})

/** Without `number`: the store gives it. */
export const writeUser = (user: NewUser): Omit<UserColumns, 'number'> => ({
  id: user.id,
  email: user.email,
  email_key: user.emailKey,
  username: user.username,
  username_key: user.usernameKey,
  name: user.name,
  profile: JSON.stringify(user.profile),
  active: Number(user.active),
  superuser: Number(user.superuser),
  epoch: user.epoch,
  created_at: user.createdAt,
  last_sign_in_at: user.lastSignInAt,
})

export const writeSession = (session: Session): SessionColumns => ({
  id: session.id,
  user_id: session.userId,
  delivery: session.delivery,
  previous: session.previous,
  current: session.current,
  successor: session.successor,
  changed_at: session.changedAt,
  opened_at: session.openedAt,
  ends_at: session.endsAt,
  idle_ends_at: session.idleEndsAt,
  ended_at: session.endedAt,
  ended_because: session.endedBecause,
  last_used_at: session.lastUsedAt,
  user_agent: session.userAgent,
  address: session.address,
})

export const writeExchange = (exchange: Exchange): ExchangeColumns => ({
  id: exchange.sessionId,
  digest: exchange.digest,
  number: exchange.number,
  expires_at: exchange.expiresAt,
})

export const writeKey = (key: KeyRow): Omit<KeyColumns, 'follows'> => ({
  id: key.id,
  use: key.use,
  algorithm: key.algorithm,
  sealed: key.sealed,
  published: key.published,
  created_at: key.createdAt,
  signs_from: key.signsFrom,
  retires_at: key.retiresAt,
})

export const writeEvent = (event: Event): Omit<EventColumns, 'number'> => ({
  type: event.type,
  at: event.at,
  user_id: event.userId,
  session_id: event.sessionId,
  address: event.address,
  call_id: event.callId,
  detail: event.detail === undefined ? null : JSON.stringify(event.detail),
})

export const writeLetter = (letter: Letter): LetterRow => ({
  kind: letter.kind,
  user_id: letter.userId,
  recipient: letter.to,
  at: letter.at,
  address: letter.address,
  user_agent: letter.userAgent,
})

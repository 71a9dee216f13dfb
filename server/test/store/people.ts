// Rows to write: a user, a session, a key, an event, each with what a test wants to be different; and one of each change.
import type { ChangeName, ChangeOf } from '../../src/core/change.ts'
import type { Event, Exchange, KeyRow, Letter, Line, NewUser, Session } from '../../src/core/model.ts'
import { lineOf } from '../../src/core/session.ts'

export const noon = Date.UTC(2026, 10, 21, 12)

export const newUser = (id: string, more: Partial<NewUser> = {}): NewUser => ({
  id,
  email: `${id}@Example.com`,
  emailKey: `${id}@example.com`,
  username: null,
  usernameKey: null,
  name: null,
  profile: {},
  active: true,
  superuser: false,
  epoch: 0,
  createdAt: noon,
  lastSignInAt: null,
  ...more,
})

export const newSession = (id: string, userId: string, more: Partial<Session> = {}): Session => ({
  id,
  userId,
  delivery: 'cookies',
  previous: 0,
  current: 0,
  successor: 1,
  changedAt: noon,
  openedAt: noon,
  endsAt: noon + 90 * 86_400_000,
  idleEndsAt: noon + 14 * 86_400_000,
  endedAt: null,
  endedBecause: null,
  lastUsedAt: noon,
  userAgent: 'Firefox',
  address: '192.0.2.1',
  ...more,
})

export const newKey = (id: string, more: Partial<KeyRow> = {}): KeyRow => ({
  id,
  use: 'sign',
  algorithm: 'ES256',
  sealed: `sealed ${id}`,
  published: `{"kid":"${id}"}`,
  createdAt: noon,
  signsFrom: noon,
  retiresAt: null,
  ...more,
})

export const newExchange = (sessionId: string, more: Partial<Exchange> = {}): Exchange => ({
  digest: 'a digest',
  number: 1,
  sessionId,
  // By any clock: what is over is forgotten at once.
  expiresAt: Date.UTC(2100, 0, 1),
  ...more,
})

export const newEvent = (type: Event['type'], more: Partial<Event> = {}): Event => ({
  type,
  at: noon,
  userId: null,
  sessionId: null,
  address: '192.0.2.1',
  callId: 'call',
  ...more,
})

export const newLetter = (userId: string, more: Partial<Letter> = {}): Letter => ({
  kind: 'session_reused',
  userId,
  to: `${userId}@Example.com`,
  at: noon,
  address: '192.0.2.1',
  userAgent: 'Firefox',
  ...more,
})

export const nextLine = ({ current, successor }: Line, changedAt: number): Line => ({
  previous: current,
  current: successor,
  successor: successor + 1,
  changedAt,
})

/** Moves a session from the line it has to the next. */
export const moveOf = (session: Session, at: number) =>
  ({
    change: 'moveSession',
    sessionId: session.id,
    was: lineOf(session),
    line: nextLine(session, at),
    idleEndsAt: at + 14 * 86_400_000,
    lastUsedAt: at,
    userAgent: 'Firefox 2',
    address: '192.0.2.2',
  }) as const

/** One of each change, with everything that it may carry. */
export const oneOfEach: { readonly [N in ChangeName]: Required<ChangeOf<N>> } = {
  createUser: { change: 'createUser', user: newUser('ada'), password: 'x' },
  recordSignIn: { change: 'recordSignIn', userId: 'ada', epoch: 0, at: noon },
  replacePasswordRecord: { change: 'replacePasswordRecord', userId: 'ada', was: 'x', record: 'y' },
  changePassword: { change: 'changePassword', userId: 'ada', epoch: 0, was: 'x', record: 'y' },
  setActive: { change: 'setActive', userId: 'ada', active: true },
  openSession: { change: 'openSession', session: newSession('s', 'ada') },
  moveSession: moveOf(newSession('s', 'ada'), noon),
  endSession: {
    change: 'endSession',
    sessionId: 's',
    because: 'reused',
    at: noon,
    was: lineOf(newSession('s', 'ada')),
  },
  requireLive: {
    change: 'requireLive',
    userId: 'ada',
    sessionId: 's',
    was: lineOf(newSession('s', 'ada')),
  },
  addExchange: { change: 'addExchange', exchange: newExchange('s') },
  endSessionsOf: { change: 'endSessionsOf', userId: 'ada', except: 's', because: 'revoked', at: noon },
  endSessionsOpenedBefore: {
    change: 'endSessionsOpenedBefore',
    openedBefore: noon,
    because: 'revoked',
    at: noon,
  },
  queueLetter: { change: 'queueLetter', letter: newLetter('ada') },
  addKey: { change: 'addKey', key: newKey('k'), after: null },
  retireKeys: { change: 'retireKeys', keys: [{ id: 'k', was: null }], retiresAt: noon },
  eraseKeys: { change: 'eraseKeys', ids: ['k'], retiredBy: noon },
  requireSealed: { change: 'requireSealed', id: 'k', sealed: 'sealed k' },
  resealKeys: { change: 'resealKeys', keys: [{ id: 'k', was: 'sealed k', sealed: 'sealed anew' }] },
  record: { change: 'record', event: newEvent('signed_in') },
}

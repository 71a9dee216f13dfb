// `rusk users`: accounts, as an operator lists, makes and disables them.
import { loginKey } from '../core/admission.ts'
import { type Finding, Misuse } from '../core/fault.ts'
import { readInput } from '../core/input.ts'
import { readNumber, type User } from '../core/model.ts'
import { type Refusal, refusals } from '../core/refusal.ts'
import type { NewAccount } from '../operations/administer.ts'
import type { Store } from '../store/port.ts'
import type { System } from '../system.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'
import { isAsked, type PasswordSource, readPassword } from './password.ts'

const rowOf = (user: User) => ({
  number: user.number,
  id: user.id,
  email: user.email,
  username: user.username,
  name: user.name,
  active: user.active,
  superuser: user.superuser,
  createdAt: writeTime(user.createdAt),
  lastSignInAt: writeTime(user.lastSignInAt),
})

const columns = ['number', 'email', 'username', 'name', 'active', 'superuser', 'createdAt', 'lastSignInAt']

export const listUsers = (globals: Globals, page: { after: number; limit: number }): Promise<void> =>
  withSystem(globals, async ({ store }) => {
    const users = await store.users({ after: page.after, limit: page.limit + 1 })
    const shown = users.slice(0, page.limit)
    showRows(shown.map(rowOf), { json: globals.json === true, columns, none: 'There are no users.' })
    const last = shown.at(-1)
    if (last && users.length > shown.length) say(`There are more: rusk users list --after ${last.number}`)
  })

export type NewUserFlags = PasswordSource & {
  readonly username?: string
  readonly email: string
  readonly name?: string
  readonly skipPolicy?: boolean
  readonly superuser?: boolean
}

type Person = Omit<NewAccount, 'password'>

/** For everything but the password: one that the input check takes. */
const standIn = 'to be asked for'

export async function createUser(globals: Globals, flags: NewUserFlags): Promise<void> {
  const { username, email, name, skipPolicy = false, superuser = false } = flags
  const person: Person = {
    email,
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
  }
  // Asked for last: nobody shall type a password, twice, for an address that will not do.
  const given = isAsked(flags) ? undefined : await readPassword(flags).catch(tellingToo(person))
  needNone(unfit({ ...person, password: given ?? standIn }))
  const make = async (system: System) => {
    if (given === undefined) needNone(await taken(system.store, person))
    const account = { ...person, password: given ?? (await readPassword(flags)) }
    const made = await system.createUser(account, { skipPolicy, superuser })
    if ('refusal' in made) throw new Misuse(await reasonsFor(made.refusal, system.store, person))
    if (globals.json) showJson(rowOf(made.user))
    else say(`Made user ${made.user.number}, ${made.user.email}.`)
  }
  await withSystem(globals, make, { mayMake: true })
}

/** Throws `Misuse` when there is a finding. */
function needNone(findings: readonly Finding[]): void {
  if (findings.length > 0) throw new Misuse(findings)
}

/** A refusal tells the first reason; whoever mends it shall not meet the next. */
async function reasonsFor(refusal: Refusal, store: Store, person: Person): Promise<readonly Finding[]> {
  const others = await taken(store, person)
  return others.length > 0 && !refusal.issues ? others : [...others, ...findingsOf(refusal)]
}

/** What is wrong with the account beside what was wrong with the password: all of it at once. */
const tellingToo =
  (person: Person) =>
  (error: unknown): never => {
    if (!(error instanceof Misuse)) throw error
    throw new Misuse([...unfit({ ...person, password: standIn }), ...error.findings])
  }

/** What will not do whoever else there is. */
function unfit(account: NewAccount): readonly Finding[] {
  const checked = readInput('register', account)
  return 'refusal' in checked ? findingsOf(checked.refusal) : []
}

/** What somebody else has already. */
async function taken(store: Store, { email, username }: Person): Promise<readonly Finding[]> {
  const [byEmail, byUsername] = await Promise.all([
    store.account(loginKey(email)),
    username === undefined ? undefined : store.account(loginKey(username)),
  ])
  return [
    ...(byEmail ? findingsOf({ refused: 'email_taken' }) : []),
    ...(byUsername ? findingsOf({ refused: 'username_taken' }) : []),
  ]
}

/** A refusal in the command line's words: what is wrong, and which option to write otherwise. */
function findingsOf(refusal: Refusal): readonly Finding[] {
  const { refused, issues = [] } = refusal
  const instead = (field: string) =>
    refused === 'password_weak' ? 'Choose another, or give --skip-policy' : `Give another --${field}`
  if (issues.length === 0) {
    return [{ about: 'user', wrong: refusals[refused].title, instead: 'See rusk users list' }]
  }
  return issues.map(({ field, message }) => ({ about: field, wrong: message, instead: instead(field) }))
}

/** By e-mail address, username, id or number. Throws `Misuse` if that is nobody, or two people. */
export async function findUser(store: Store, text: string): Promise<User> {
  const number = readNumber(text)
  const keys = [loginKey(text), { id: text }, ...(number === undefined ? [] : [{ number }])]
  const accounts = await Promise.all(keys.map(key => store.account(key)))
  const found = new Map(
    accounts.flatMap(account => (account ? [[account.user.id, account.user] as const] : [])),
  )
  const [user, another] = found.values()
  if (!user) throw nobody(text)
  if (!another) return user
  throw new Misuse([
    {
      about: text,
      wrong: 'it is one user by name and another by number',
      instead: 'Write the e-mail address',
    },
  ])
}

const nobody = (text: string): Misuse =>
  new Misuse([{ about: text, wrong: 'there is no such user', instead: 'See rusk users list' }])

export const switchUser = (globals: Globals, text: string, active: boolean): Promise<void> =>
  withSystem(globals, async system => {
    const user = await findUser(system.store, text)
    if (!(await system.setActive(user.id, active))) throw nobody(text)
    if (globals.json) showJson(rowOf({ ...user, active }))
    else
      say(
        `${user.email} ${active ? 'may sign in again' : 'is disabled, and every session of theirs has ended'}.`,
      )
  })

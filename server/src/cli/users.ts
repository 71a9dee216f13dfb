// `rusk users`: accounts, as an operator lists, makes and disables them.
import { loginKey } from '../core/admission.ts'
import { Misuse } from '../core/fault.ts'
import type { User } from '../core/model.ts'
import { type Refusal, refusals } from '../core/refusal.ts'
import type { Store } from '../store/port.ts'
import { type Globals, withSystem } from './open.ts'
import { say, showJson, showRows, writeTime } from './output.ts'
import { type PasswordSource, readPassword } from './password.ts'

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

export async function createUser(globals: Globals, flags: NewUserFlags): Promise<void> {
  const password = await readPassword(flags)
  const { username, email, name, skipPolicy = false, superuser = false } = flags
  await withSystem(globals, async system => {
    const account = {
      email,
      password,
      ...(username === undefined ? {} : { username }),
      ...(name === undefined ? {} : { name }),
    }
    const made = await system.createUser(account, { skipPolicy, superuser })
    if ('refusal' in made) throw new Misuse(findingsOf(made.refusal))
    if (globals.json) showJson(rowOf(made.user))
    else say(`Made user ${made.user.number}, ${made.user.email}.`)
  })
}

/** A refusal in the command line's words: what is wrong, and which option to write otherwise. */
function findingsOf(refusal: Refusal) {
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
  const keys = [loginKey(text), { id: text }, ...(/^\d{1,15}$/.test(text) ? [{ number: Number(text) }] : [])]
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

// What people are told about each input field: a sentence, an example, a JSON Schema format. Checks nothing
// (core/input.ts does) and knows no dialect's names for the fields.
import type { InputField, OperationName } from '../core/input.ts'

type FieldName = { [O in OperationName]: InputField<O> }[OperationName]

export type FieldNote = {
  readonly says: string
  /** One that every dialect's policy accepts. Empty: there is none that would be of use. */
  readonly example: string
  readonly format?: 'email' | 'password'
}

const fieldNotes: Readonly<Record<FieldName, FieldNote>> = {
  email: { says: 'E-mail address', example: 'jack@example.com', format: 'email' },
  password: { says: 'Password, 1024 bytes at most', example: 'Twice-baked-2026', format: 'password' },
  current: {
    says: 'The password as it is now, 1024 bytes at most',
    example: 'Twice-baked-2026',
    format: 'password',
  },
  new: { says: 'The password to be, 1024 bytes at most', example: 'Hard-and-keeps-2026', format: 'password' },
  username: { says: 'Letters, digits and . _ + -', example: 'jack' },
  name: { says: 'Full name', example: 'Jack Baker' },
  token: { says: 'A token of the old system, whole', example: '' },
  login: { says: 'E-mail address or username', example: 'jack' },
  delivery: { says: 'Where the access token travels', example: '' },
  id: { says: "A session's id, from the list of sessions", example: '' },
}

const isFieldName = (name: string): name is FieldName => name in fieldNotes

/** The note of `field`, with an example that suits the wire's name for it: a login called e-mail is shown an address. */
export function fieldNote(field: string, wire: string): FieldNote {
  // A name that no operation takes is refused at start.
  if (!isFieldName(field)) return { says: '', example: '' }
  const address = field === 'login' && /mail/i.test(wire)
  return address ? { ...fieldNotes.login, example: fieldNotes.email.example } : fieldNotes[field]
}

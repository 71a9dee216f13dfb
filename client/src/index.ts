// @rusk/client: everything that an app imports by that name.
export { createClient } from './client.ts'
export type {
  Abortable,
  Client,
  ClientOptions,
  Pass,
  PasswordChange,
  Reason,
  SignIn,
  SignUp,
  State,
} from './contract.ts'
export type { Body, Call, Csrf, Dialect, NativeUser } from './dialect.ts'
export { type Explained, type Issue, RuskError, type RuskErrorCode } from './error.ts'
export { type ServerEvent, stream } from './events.ts'

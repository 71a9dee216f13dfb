// @rusk/client: everything that an app imports by that name.
export {
  type Abortable,
  type Client,
  type ClientOptions,
  createClient,
  type Pass,
  type Reason,
  type SignIn,
  type SignUp,
  type State,
} from './client.ts'
export type { Body, Call, Csrf, Dialect, NativeUser } from './dialect.ts'
export { type Explained, type Issue, RuskError, type RuskErrorCode } from './error.ts'
export { type ServerEvent, stream } from './events.ts'

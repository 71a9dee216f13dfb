// Takes from a call the texts that may say who calls. Reads them as they are: what is authentic the operation finds out.
import { readBearer } from '@rusk/verify/floor'
import type { Carried } from '../operations/contract.ts'
import type { Call } from './call.ts'
import type { Jarful } from './cookies.ts'
import type { Spoken, Way } from './way.ts'

/** Whether a `__Host-` name came twice: only a browser that was tampered with sends that. */
const isConflict = ({ jar }: Spoken, { access, refresh, signIn }: Jarful): boolean =>
  (access.length > 1 && jar.access?.name.startsWith('__Host-') === true) ||
  (refresh.length > 1 && jar.refresh.name.startsWith('__Host-')) ||
  (signIn.length > 1 && jar.signIn.name.startsWith('__Host-'))

/** Of several CSRF cookies the authentic one: the others are left-overs of the old system. */
const chooseCsrf = (values: readonly string[], authentic: (text: string) => boolean): string | undefined =>
  values.length > 1 ? (values.find(authentic) ?? values[0]) : values[0]

export function readCarried(
  { spoken, route }: Pick<Way, 'spoken' | 'route'>,
  cookies: Jarful,
  header: Call['header'],
  authentic: (text: string) => boolean,
): Carried {
  const { bearer, cookies: specs } = spoken.dialect
  // Where no token is asked for, a header says nothing.
  const submitted = specs.csrf && route.csrf ? header(specs.csrf.header) : undefined
  const cookie =
    submitted !== undefined && cookies.csrf.includes(submitted)
      ? submitted
      : chooseCsrf(cookies.csrf, authentic)
  return {
    access: cookies.access,
    bearer: bearer ? readBearer(header('authorization')) : undefined,
    refresh: cookies.refresh,
    signIn: cookies.signIn,
    csrf: specs.csrf && { header: submitted, cookie },
    conflict: isConflict(spoken, cookies),
  }
}

// Which dialects stand together on one site. Everything that would only show once a browser calls is refused at start, all
// findings at once (mount-findings.ts).
import { Misuse, misuse } from '../core/fault.ts'
import { findMisuse, type ServedAt } from './mount-findings.ts'
import type { Site } from './site.ts'
import { type Mountable, type Spoken, speak, type Way, waysOf } from './way.ts'

export type Mount = { readonly spoken: readonly [Spoken, ...Spoken[]]; readonly ways: readonly Way[] }

/** Throws `Misuse` with everything that is wrong. `served`: exact paths of what else is answered. */
export function mount(site: Site, dialects: readonly Mountable[], served: readonly ServedAt[]): Mount {
  const [first, ...rest] = dialects.map(each => speak(each, site))
  if (!first) {
    throw misuse('dialect', 'there is none', 'Name at least one, as native')
  }
  const spoken = [first, ...rest] as const
  const ways = spoken.flatMap(each => waysOf(each, site))
  const findings = findMisuse(site, spoken, ways, served)
  if (findings.length > 0) throw new Misuse(findings)
  return { spoken, ways }
}

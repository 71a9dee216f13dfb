// Which dialects are served, under which numbers, and the pages beside them: from settings to values.
import type { Settings } from './config.ts'
import { Misuse } from './core/fault.ts'
import { defaultPolicy, patchPolicy } from './core/policy.ts'
import { dialects } from './dialects/index.ts'
import type { Dialect } from './http/dialect.ts'
import type { Mounted } from './http/handle.ts'
import { readBrand } from './pages/brand.ts'
import { type Hosted, pagesOf } from './pages/hosted.ts'

/** Settings name known dialects only; whoever made them by hand is told. */
function dialectOf(name: string): Dialect {
  const dialect = Object.entries(dialects).find(([each]) => each === name)?.[1]
  if (dialect) return dialect
  throw new Misuse([
    {
      about: 'dialect',
      wrong: `there is no dialect ${name}`,
      instead: `There are ${Object.keys(dialects).join(', ')}`,
    },
  ])
}

/** Without a key nothing is exchanged, and no dialect has a call for it. */
const offered = (dialect: Dialect, { bridge }: Settings): Dialect =>
  bridge
    ? dialect
    : {
        ...dialect,
        routes: Object.fromEntries(
          Object.entries(dialect.routes).filter(([, { does }]) => does !== 'exchange'),
        ),
      }

/** A dialect's numbers over the defaults, the operator's over both. */
export const mountedOf = (settings: Settings): readonly Mounted[] =>
  settings.dialects.map(name => {
    const dialect = offered(dialectOf(name), settings)
    const production = settings.site.environment === 'production'
    const signUp = {
      points: production ? 20 : defaultPolicy.rates.signUp.points,
      per: defaultPolicy.rates.signUp.per,
    }
    return {
      dialect,
      policy: patchPolicy(defaultPolicy, { rates: { signUp } }, dialect.policy, settings.policy),
    }
  })

/** Pages for people, beside the first dialect. Throws `Misuse` when a file of the brand will not do. */
export function hostedOf({ pages, site }: Settings, [first]: readonly Mounted[]): Hosted | undefined {
  if (!pages || !first) return undefined
  const { brand, findings } = readBrand(pages)
  if (findings.length > 0) throw new Misuse(findings)
  return pagesOf({ ...first, prefix: site.prefix, brand })
}

// Every dialect there is, by name. Only the assembly asks here; the rest of the house is handed a dialect.
import type { Dialect } from '../http/dialect.ts'
import { django } from './django.ts'
import { fastapi } from './fastapi.ts'
import { fastapiMinimal } from './fastapi-minimal.ts'
import { fastapiProduction } from './fastapi-production.ts'
import { flask } from './flask.ts'
import { native } from './native.ts'

export type DialectName = 'native' | 'fastapi' | 'flask' | 'django' | 'fastapi-minimal' | 'fastapi-production'

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  native,
  fastapi,
  flask,
  django,
  'fastapi-minimal': fastapiMinimal,
  'fastapi-production': fastapiProduction,
}

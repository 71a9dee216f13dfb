// The script of a page that has everything of `@rusk/client`, and makes no client yet: for the test's own hands.
import { createClient, RuskError, stream } from '../../src/index.ts'

Object.assign(globalThis, { createClient, RuskError, stream })

// The one client of this page: who is signed in, and the fetch that carries it.
import { createClient } from '@rusk/client'

export const client = createClient()

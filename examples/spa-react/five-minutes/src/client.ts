// ./src/client.ts: the one client of this page. In a file of its own it outlives your edits of the others.
import { createClient } from '@rusk/client'

export const client = createClient()

// The script of a page that has axios with the client in it, for the test's own hands.
import axios from 'axios'
import { attach } from '../../src/axios.ts'
import { createClient } from '../../src/client.ts'

const client = createClient({ delivery: location.hash === '#memory' ? 'memory' : 'cookies' })
const api = axios.create()
attach(api, client)
Object.assign(globalThis, { axios, api, client })

// The script of the page with the app in React. What a server has rendered already is taken over. The client is there for
// the test's own hands.
import { createElement as h } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { createClient } from '../../src/client.ts'
import { App } from './react-app.ts'

const client = createClient()
Object.assign(globalThis, { client })
const root = document.getElementById('root')
if (!root) throw new Error('This page has no root')
const app = h(App, { client })
if (root.hasChildNodes()) hydrateRoot(root, app)
else createRoot(root).render(app)

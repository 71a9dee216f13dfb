// Where the page stands in development: the one origin that Rusk and the chat service list (example.env).
import { defineConfig } from 'vite'

export default defineConfig({ server: { host: 'localhost', port: 5173, strictPort: true } })

// How Vite builds the page; in development it hands calls on, so that page and server are one origin to the browser.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = 'http://localhost:8000'

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/auth': server, '/api': server } },
})

// Who is signed in, by Rusk in the words of Django; and an axios whose calls carry it to the chat service.
/// <reference types="vite/client" />
import { createClient } from '@rusk/client'
import { attach } from '@rusk/client/axios'
import { django } from '@rusk/client/dialects'
import axios from 'axios'

const baseUrl: string = import.meta.env.VITE_RUSK ?? 'http://localhost:8000'
export const chatUrl: string = import.meta.env.VITE_CHAT ?? 'http://localhost:8001'

export const client = createClient({ baseUrl, dialect: django, origins: [chatUrl] })

export const chat = axios.create({ baseURL: chatUrl })
attach(chat, client)

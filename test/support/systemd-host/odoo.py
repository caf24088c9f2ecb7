#!/usr/bin/env python3
"""Stands in for Odoo: serves one database and its filestore, and does not start when they do not fit.

What it takes from Odoo: where its configuration, its database and its filestore are; a session that stays open and is
opened anew when it was lost; a thread for the scheduled actions that opens another one whenever it can; its pages
/web/health and /web/login; a start that fails on a database without its core tables.
Its own: it checks every attachment's file at the start, and /state tells what it has found.
"""

import configparser
import hashlib
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

CORE_TABLES = ['res_users', 'res_partner', 'res_company', 'ir_attachment', 'ir_module_module',
               'ir_config_parameter', 'ir_cron', 'ir_model']  # fmt: skip


class Options:
    def __init__(self, path):
        parser = configparser.RawConfigParser()
        parser.read(path)
        self.options = parser['options']

    def get(self, name, default=None):
        value = self.options.get(name, 'False')
        return default if value in ('False', 'None', '') else value


class Database:
    """A session that stays open, as Odoo's connection pool keeps them."""

    def __init__(self, options):
        self.name = options.get('db_name')
        self.parameters = {
            'dbname': self.name,
            'host': options.get('db_host'),
            'port': options.get('db_port'),
            'user': options.get('db_user'),
            'password': options.get('db_password'),
            'application_name': 'odoo-%d' % os.getpid(),
        }
        self.lock = threading.Lock()
        self.connection = None

    def rows(self, query):
        with self.lock:
            for attempt in (1, 2):
                try:
                    if self.connection is None:
                        self.connection = psycopg2.connect(**self.parameters)
                    with self.connection, self.connection.cursor() as cursor:
                        cursor.execute(query)
                        return cursor.fetchall()
                except (psycopg2.OperationalError, psycopg2.InterfaceError):
                    self.connection = None
                    if attempt == 2:
                        raise


def load(database, filestore):
    """What a start reads. Raises where database and filestore do not fit."""
    present = {name for (name,) in database.rows('SELECT tablename FROM pg_tables')}
    absent = [name for name in CORE_TABLES if name not in present]
    if absent:
        raise RuntimeError('%s is not initialised: no %s' % (database.name, ', '.join(absent)))
    ((users, attachments, uuid),) = database.rows(
        """SELECT (SELECT count(*) FROM res_users), (SELECT count(*) FROM ir_attachment),
                  (SELECT value FROM ir_config_parameter WHERE key = 'database.uuid')"""
    )
    if not users or not uuid:
        raise RuntimeError('%s has no users or no uuid' % database.name)
    names = database.rows('SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL')
    for (name,) in names:
        with open(os.path.join(filestore, name), 'rb') as file:
            if hashlib.sha1(file.read()).hexdigest() != name.split('/')[1]:
                raise RuntimeError('%s has another content' % name)
    for folder, folders, _ in os.walk(filestore):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise RuntimeError('%s: not mine' % folder)
    return {'users': users, 'attachments': attachments, 'files': len(names), 'uuid': uuid}


def scheduled_actions(options):
    database = Database(options)
    while True:
        if not os.path.exists(sys.argv[1]):
            os._exit(1)  # the host that this plays on was removed
        try:
            database.rows('SELECT count(*) FROM ir_cron')
        except psycopg2.Error:
            pass  # the next time, as Odoo's cron thread
        threading.Event().wait(0.2)


class Page(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        try:
            if self.path == '/web/health':
                self.answer(200, {'status': 'pass'})
            elif self.path == '/web/login':
                ((users,),) = self.server.database.rows('SELECT count(*) FROM res_users')
                self.answer(200, {'users': users})
            elif self.path == '/state':
                self.answer(200, self.server.state)
            else:
                self.answer(404, {})
        except psycopg2.Error as error:
            self.answer(500, {'error': str(error)})

    def do_POST(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        known = self.path == '/web/webclient/version_info'
        self.answer(200 if known else 404, {})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    options = Options(sys.argv[1])
    data_dir = options.get('data_dir', os.path.expanduser('~/.local/share/Odoo'))
    database = Database(options)
    state = load(database, os.path.join(data_dir, 'filestore', database.name))
    address = (options.get('http_interface', ''), int(options.get('http_port', 8069)))
    server = ThreadingHTTPServer(address, Page)
    server.daemon_threads = True
    server.database = database
    server.state = state
    threading.Thread(target=scheduled_actions, args=[options], daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print('HTTP service running on port %d: %s' % (address[1], state), flush=True)
    server.serve_forever(poll_interval=0.05)  # it looks so often whether it is to stop


if __name__ == '__main__':
    main()

"""How the service is set up: a TOML file, then ``ENSEMBLE_SERVER__…`` variables, then arguments."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, Field, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ensemble_core.config.toml import read


class Issuer(BaseModel):
    """An OpenID Connect issuer whose tokens are accepted."""

    url: str = Field(description="Its URL; `iss` of its tokens, and where its metadata is found")
    audience: str = Field(description="What `aud` (or Clerk's `azp`) of a token must name")
    client_id: str = Field(default="", description="For signing in on the pages; empty: API only")
    client_secret: str = Field(default="", description="For signing in on the pages")
    jwks_url: str = Field(default="", description="Where its keys are; empty: as its metadata says")

    @field_validator("url", "jwks_url")
    @classmethod
    def _encrypted(cls, url: str) -> str:
        """What is fetched from an issuer decides who is who, so nobody may change it on the way."""
        parts = urlsplit(url)
        here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        good = parts.hostname and (parts.scheme == "https" or (here and parts.scheme == "http"))
        if url and not good:
            raise ValueError("must begin with https:// (http:// on this machine alone)")
        return url


class Limits(BaseModel):
    """What one user may do."""

    file_bytes: int = Field(default=100_000_000, description="Largest file")
    request_bytes: int = Field(default=250_000_000, description="Largest request")
    files: int = Field(default=50, description="Most files of a job")
    pages: int = Field(default=500, description="Most pages of a job")
    requests_per_minute: int = Field(default=600, description="Requests a user may make")
    jobs_per_minute: int = Field(default=120, description="Jobs a user may send")
    running_jobs: int = Field(
        default=0, description="Jobs of a user worked on at a time; 0: any number"
    )
    queued_jobs: int = Field(default=5000, description="Jobs of a user waiting or worked on")
    streams: int = Field(
        default=100, description="Streams of events a user may have open, on each node"
    )


class Settings(BaseSettings):
    """All settings. Nothing given: one machine, one local user, a folder."""

    model_config = SettingsConfigDict(
        env_prefix="ENSEMBLE_SERVER__", env_nested_delimiter="__", extra="forbid"
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, description="Port to listen on")
    public_url: str = Field(
        default="", description="Where people reach the service, if behind a proxy"
    )
    folder: Path = Field(
        default_factory=lambda: Path(
            platformdirs.user_data_dir("ensemble-server", appauthor=False)
        ),
        description="Where the database and the files are, unless set",
    )
    database: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in `folder`")
    storage: str = Field(
        default="", description="fsspec URL (`s3://bucket/prefix`); empty: in `folder`"
    )
    storage_options: dict[str, str] = Field(
        default={}, description="Passed to fsspec (`endpoint_url`, …)"
    )
    redis: str = Field(
        default="", description="`redis://…`; empty: limits and updates in this process"
    )
    secret: str = Field(
        default="", description="Signs cookies; empty: made once and kept in `folder`"
    )

    workers: int = Field(
        default=1, description="Conversions at a time in this process; 0: none (web only)"
    )
    lease: float = Field(
        default=30.0, description="Seconds until a silent worker's job goes to another"
    )
    attempts: int = Field(
        default=3, description="How often a job is begun before it counts as failed"
    )
    deadline: float = Field(
        default=900.0, description="Seconds a job may take, unless it asks for less"
    )
    time_to_live: float = Field(default=7 * 86400.0, description="Seconds a finished job is kept")
    pipeline: Path | None = Field(
        default=None, description="An `ensemble.toml` the jobs start from"
    )

    issuers: list[Issuer] = Field(default=[], description="Whose tokens are accepted")
    local_user: bool = Field(
        default=True, description="Without any sign-in, on loopback, one local user"
    )
    trusted_proxies: list[str] = Field(default=[], description="Whose X-Forwarded-For is believed")
    allowed_origins: list[str] = Field(
        default=[],
        description="Other sites (`https://app.example.org`) whose pages may use the API with a "
        "key or a token",
    )
    limits: Limits = Limits()

    webhooks_to_private: bool = Field(
        default=False, description="Whether webhooks may go to private nets"
    )
    smtp: str = Field(default="", description="`smtp://user:password@host:587`; empty: no mail")
    mail_from: str = Field(default="", description="Sender of mails")
    metrics: bool = Field(default=True, description="Whether `/metrics` is served")
    metrics_token: str = Field(
        default="", description="Bearer token for `/metrics`; empty: answered to private nets only"
    )
    traces: str = Field(default="", description="OTLP endpoint; empty: no traces")

    @cached_property
    def database_url(self) -> str:
        """The database, by default a file in ``folder``."""
        return self.database or f"sqlite:///{self.folder / 'ensemble.db'}"

    @cached_property
    def storage_url(self) -> str:
        """The store of files, by default in ``folder``."""
        return self.storage or (self.folder / "files").as_uri()


def load(file: Path | None = None, **given: Any) -> Settings:
    """The settings of a TOML file, below the environment's, below those given.

    Raises:
        ConfigError: The file cannot be read.
        pydantic.ValidationError: A setting is unknown or wrong.
    """
    data: dict[str, Any] = read(file) if file else {}

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, data)

    return FromFile(**given)

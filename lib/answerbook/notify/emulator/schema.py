"""FCM's message as its reference documents it, for typed decoding.

Field names are those of the reference (snake_case). What does not decode with these types is
looked at again, slowly, by `fields.py`, which reads the same types; so a field stands only here.
"""

from typing import Annotated, Any, Literal

import msgspec

Text = str | None
Flag = bool | None
Pairs = dict[str, str] | None
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]


class Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An object of the message. Its absent fields, and those that are null, are None."""


class FcmOptions(Part):
    """Of the message."""

    analytics_label: Text = None


class Notification(Part):
    """What every platform shows."""

    title: Text = None
    body: Text = None
    image: Text = None


class Color(Part):
    """Shares from 0 to 1."""

    red: float | None = None
    green: float | None = None
    blue: float | None = None
    alpha: float | None = None


class LightSettings(Part):
    """How the device's light blinks."""

    color: Color | None = None
    light_on_duration: Text = None
    light_off_duration: Text = None


class AndroidNotification(Part):
    """What Android shows."""

    title: Text = None
    body: Text = None
    icon: Text = None
    color: Text = None
    sound: Text = None
    tag: Text = None
    click_action: Text = None
    body_loc_key: Text = None
    body_loc_args: list[str] | None = None
    title_loc_key: Text = None
    title_loc_args: list[str] | None = None
    channel_id: Text = None
    ticker: Text = None
    sticky: Flag = None
    event_time: Text = None
    local_only: Flag = None
    notification_priority: (
        Literal[
            "PRIORITY_UNSPECIFIED",
            "PRIORITY_MIN",
            "PRIORITY_LOW",
            "PRIORITY_DEFAULT",
            "PRIORITY_HIGH",
            "PRIORITY_MAX",
        ]
        | None
    ) = None
    default_sound: Flag = None
    default_vibrate_timings: Flag = None
    default_light_settings: Flag = None
    vibrate_timings: list[str] | None = None
    visibility: Literal["VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"] | None = None
    notification_count: Int32 | None = None
    light_settings: LightSettings | None = None
    image: Text = None
    bypass_proxy_notification: Flag = None
    proxy: Literal["PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"] | None = None


class AndroidFcmOptions(Part):
    """Of Android."""

    analytics_label: Text = None


class AndroidConfig(Part):
    """How Android devices get it."""

    collapse_key: Text = None
    priority: Literal["normal", "high", "NORMAL", "HIGH"] | None = None
    ttl: Text = None
    restricted_package_name: Text = None
    data: Pairs = None
    notification: AndroidNotification | None = None
    fcm_options: AndroidFcmOptions | None = None
    direct_boot_ok: Flag = None
    bandwidth_constrained_ok: Flag = None
    restricted_satellite_ok: Flag = None


class WebpushFcmOptions(Part):
    """Of web push."""

    link: Text = None
    analytics_label: Text = None


class WebpushConfig(Part):
    """How browsers get it."""

    headers: Pairs = None
    data: Pairs = None
    notification: dict[str, Any] | None = None
    fcm_options: WebpushFcmOptions | None = None


class ApnsFcmOptions(Part):
    """Of Apple's devices."""

    analytics_label: Text = None
    image: Text = None


class ApnsConfig(Part):
    """How Apple's devices get it."""

    headers: Pairs = None
    payload: dict[str, Any] | None = None
    fcm_options: ApnsFcmOptions | None = None
    live_activity_token: Text = None


class Message(Part):
    """Exactly one of the last four says to whom."""

    name: Text = None
    """Output only; what comes in is ignored."""
    data: Pairs = None
    notification: Notification | None = None
    android: AndroidConfig | None = None
    webpush: WebpushConfig | None = None
    apns: ApnsConfig | None = None
    fcm_options: FcmOptions | None = None
    token: Text = None
    fid: Text = None
    topic: Text = None
    condition: Text = None


TARGETS = ("token", "fid", "topic", "condition")


class SendRequest(Part):
    """The body of messages:send."""

    message: Message | None = None
    validate_only: Flag = None

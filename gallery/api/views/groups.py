"""Groups of people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.sharing import (
    GroupDetailSerializer,
    GroupSerializer,
    MemberSerializer,
)
from gallery.api.views.base import ApiView
from gallery.models import Group, User
from gallery.models.share import GroupQuerySet
from gallery.sharing import groups


class GroupListView(ApiView):
    permission_classes = [IsAuthenticated]
    serializer_class = GroupSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> GroupQuerySet:
        return groups.groups_of(self.account())

    @extend_schema(
        operation_id="groups_list", tags=["sharing"], responses={200: GroupSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """The groups that you own or are a member of, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="groups_create",
        tags=["sharing"],
        request=GroupSerializer,
        responses={201: GroupDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a group."""
        form = GroupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        group = groups.create_group(self.account(), form.validated_data["name"])
        return Response(shown(self, group.pk), status=201)


class GroupView(ApiView):
    """A view of one group, `self.group`. Members may read it and leave; the owner may do the rest.
    Everybody else gets 404."""

    group: Group
    serializer_class = GroupDetailSerializer

    def nameable(self) -> GroupQuerySet:
        if self.request.method in SAFE_METHODS:
            return Group.objects.visible_to(self.request.user)
        return Group.objects.owned_by(self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        found = self.nameable().filter(pk=kwargs["group_id"]).select_related("owner").first()
        if found is None:
            raise NotFound(_("There is no such group, or you are not in it."))
        self.group = found


class GroupDetailView(GroupView):
    @extend_schema(operation_id="groups_read", tags=["sharing"])
    def get(self, request: Request, group_id: UUID) -> Response:
        """A group and its members."""
        return Response(shown(self, group_id))

    @extend_schema(operation_id="groups_rename", tags=["sharing"], request=GroupSerializer)
    def patch(self, request: Request, group_id: UUID) -> Response:
        """Rename your group."""
        form = GroupSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        groups.rename_group(self.group, form.validated_data["name"])
        return Response(shown(self, group_id))

    @extend_schema(operation_id="groups_delete", tags=["sharing"], responses={204: None})
    def delete(self, request: Request, group_id: UUID) -> Response:
        """Delete your group. This ends all shares with it."""
        groups.delete_group(self.group)
        return Response(status=204)


class GroupMembersView(GroupView):
    @extend_schema(
        operation_id="groups_add_member",
        tags=["sharing"],
        request=MemberSerializer,
        responses={200: GroupDetailSerializer},
    )
    def post(self, request: Request, group_id: UUID) -> Response:
        """Add a person to your group. It has no effect if the person is already a member."""
        form = MemberSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        groups.add_member(self.group, form.validated_data["user"])
        return Response(shown(self, group_id))


class GroupMemberView(GroupView):
    @extend_schema(operation_id="groups_remove_member", tags=["sharing"], responses={204: None})
    def delete(self, request: Request, group_id: UUID, username: str) -> Response:
        """Remove a person from your group."""
        member = self.group.members.filter(username=User.normalize_username(username)).first()
        if member is None:
            raise NotFound(_("Nobody with this name is in the group."))
        groups.remove_member(self.group, member)
        return Response(status=204)


class GroupLeaveView(GroupView):
    def nameable(self) -> GroupQuerySet:
        return Group.objects.visible_to(self.request.user).exclude(owner_id=self.request.user.pk)

    @extend_schema(
        operation_id="groups_leave", tags=["sharing"], request=None, responses={204: None}
    )
    def post(self, request: Request, group_id: UUID) -> Response:
        """Leave a group that another person owns."""
        groups.remove_member(self.group, self.account())
        return Response(status=204)


def shown(view: ApiView, group_id: UUID) -> Any:
    group = groups.groups_of(view.account()).with_members().get(pk=group_id)
    return GroupDetailSerializer(group, context=view.get_serializer_context()).data

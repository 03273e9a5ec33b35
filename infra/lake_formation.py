"""Lake Formation's permissions, for accounts in which IAM alone no longer gives access to the data catalog."""

from collections.abc import Iterable, Mapping

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct, IDependable

from appstore_analytics.contract.names import Database, Names
from infra.acknowledgements import acknowledge

_Resource = lakeformation.CfnPrincipalPermissions.ResourceProperty


class LakeFormation(Construct):
    """For each function that asks Athena: DESCRIBE on its databases, DESCRIBE and SELECT on all their tables.

    CloudFormation's role has to be a data lake administrator, or hold these permissions with the right to grant them.
    The rights on S3 stay those of IAM unless the bucket is registered with Lake Formation: GetDataAccess is for that.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        names: Names,
        roles: Mapping[str, tuple[iam.Role, tuple[Database, ...]]],
        tables: IDependable,
    ) -> None:
        super().__init__(scope, id_)
        for step, (role, databases) in roles.items():
            role.add_to_policy(iam.PolicyStatement(actions=["lakeformation:GetDataAccess"], resources=["*"]))
            acknowledge(
                role, "IAM5[Resource::*]", "GetDataAccess supports no resources; Lake Formation has the tables."
            )
            for database in databases:
                self._grant(f"{step}-{database}", role, names.databases[database], tables)

    def _grant(self, id_: str, role: iam.Role, database: str, tables: IDependable) -> None:
        kind = lakeformation.CfnPrincipalPermissions
        of_database = kind.DatabaseResourceProperty(catalog_id=Aws.ACCOUNT_ID, name=database)
        of_tables = kind.TableResourceProperty(catalog_id=Aws.ACCOUNT_ID, database_name=database, table_wildcard={})
        self._permissions(f"{id_}-database", role, _Resource(database=of_database), ["DESCRIBE"], tables)
        self._permissions(f"{id_}-tables", role, _Resource(table=of_tables), ["DESCRIBE", "SELECT"], tables)

    def _permissions(
        self, id_: str, role: iam.Role, resource: _Resource, permissions: Iterable[str], tables: IDependable
    ) -> None:
        granted = lakeformation.CfnPrincipalPermissions(
            self,
            id_,
            principal=lakeformation.CfnPrincipalPermissions.DataLakePrincipalProperty(
                data_lake_principal_identifier=role.role_arn
            ),
            resource=resource,
            permissions=[*permissions],
            permissions_with_grant_option=[],
        )
        granted.node.add_dependency(tables)

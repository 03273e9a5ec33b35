"""What the CloudFormation template and a running Lambda must both know. Data only, standard library only."""
